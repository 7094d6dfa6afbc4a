"""Which codes mean something to this service, an idea or a reviewed nothing: what a site's map may point at."""

from __future__ import annotations

import re

from fhir_mappings.terminology.code_systems import ATC, CONCEPT, RXNORM, normalised
from fhir_mappings.terminology.icd_editions import is_classified
from fhir_mappings.terminology.reviewed_codes import is_reviewed
from fhir_mappings.terminology.value_sets import ValueSets

# Two systems are read as a whole (DEC-37): every code of theirs has a class or is known to have none.
# https://atcddd.fhi.no/atc/structure_and_principles/: fourteen main groups (a letter), then two digits, a letter, a
# letter and two digits; a code may end behind each. https://www.nlm.nih.gov/research/umls/rxnorm/docs/techdoc.html:
# a positive number without check digit, of at most eight digits.
DRUG_FORMS = {
    ATC: re.compile(r"[ABCDGHJLMNPRSV](\d{2}([A-Z]([A-Z](\d{2})?)?)?)?"),
    RXNORM: re.compile(r"[1-9][0-9]{0,7}"),
}


# https://loinc.org/kb/users-guide/: a number and, after a hyphen, its Mod 10 check digit.
_LOINC = re.compile(r"([0-9]{1,8})-([0-9])", re.ASCII)


def is_loinc(code: str) -> bool:
    """Whether a code is one of LOINC's by its form and its check digit, not a laboratory's own word or a misprint."""
    match = _LOINC.fullmatch(code.strip())
    if match is None:
        return False
    digits = [int(one) for one in reversed(match[1])]
    doubled = (sum(divmod(2 * one, 10)) for one in digits[::2])
    return (sum(doubled) + sum(digits[1::2]) + int(match[2])) % 10 == 0


def is_drug_code(system: str, code: str) -> bool:
    """Whether a code has the form of its system's: only then is a drug that no table has another drug."""
    form = DRUG_FORMS.get(system)
    return form is not None and form.fullmatch(normalised(system, code)) is not None


def is_listed(system: str, code: str, sets: ValueSets) -> bool:
    """Whether the code (its system in our spelling) is in a value set, reviewed, or of a system read as a whole."""
    if system == CONCEPT:
        return code in sets.by_id
    code = normalised(system, code)
    if sets.containing(system, code) or is_classified(system, code) or is_reviewed(system, code, sets):
        return True
    return is_drug_code(system, code)
