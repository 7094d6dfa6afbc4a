"""Which codes mean something to this service, an idea or a reviewed nothing: what a site's map may point at."""

from __future__ import annotations

import re

from fhir_mappings.code_systems import ATC, CONCEPT, RXNORM, normalised
from fhir_mappings.icd_editions import is_classified
from fhir_mappings.reviewed_codes import is_reviewed
from fhir_mappings.value_sets import ValueSets

# Two systems are read as a whole (DEC-37): every code of theirs has a class or is known to have none.
# https://www.whocc.no/atc/structure_and_principles/ and https://www.nlm.nih.gov/research/umls/rxnorm/overview.html
_WHOLE = {ATC: re.compile(r"[A-Z](\d{2}([A-Z]([A-Z](\d{2})?)?)?)?"), RXNORM: re.compile(r"\d{1,8}")}


def is_listed(system: str, code: str, sets: ValueSets) -> bool:
    """Whether the code (its system in our spelling) is in a value set, reviewed, or of a system read as a whole."""
    if system == CONCEPT:
        return code in sets.by_id
    code = normalised(system, code)
    if sets.containing(system, code) or is_classified(system, code) or is_reviewed(system, code, sets):
        return True
    whole = _WHOLE.get(system)
    return whole is not None and whole.fullmatch(code) is not None
