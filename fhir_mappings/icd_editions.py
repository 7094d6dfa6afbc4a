"""Which ICD codes are classified: by edition, the categories whose meaning was checked there (DEC-37, inputs 5)."""

from __future__ import annotations

import re

from fhir_mappings.code_systems import ICD_9_CM, ICD_10, ICD_10_CM

# https://www.cms.gov/medicare/coding-billing/icd-10-codes: a letter, a digit, a digit or letter, then up to four more.
_FORMS = {
    ICD_10_CM: re.compile(r"[A-Z]\d[0-9A-Z]{1,5}"),
    ICD_10: re.compile(r"[A-Z]\d{2}\d{0,3}"),
    ICD_9_CM: re.compile(r"\d{3,5}|E\d{3,4}|V\d{2,4}"),
}


def is_classified(edition: str, code: str) -> bool:
    """Whether the code (normalised: no dot, upper case) of this edition has a checked row, whatever it means."""
    form = _FORMS.get(edition)
    return form is not None and form.fullmatch(code) is not None
