"""The check digits of SNOMED CT (Verhoeff) and LOINC (modulus 10)."""

from __future__ import annotations

from fhir_mappings.terminology.code_systems import LOINC, SNOMED_CT

_D = ((0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 4, 0, 6, 7, 8, 9, 5), (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
      (3, 4, 0, 1, 2, 8, 9, 5, 6, 7), (4, 0, 1, 2, 3, 9, 5, 6, 7, 8), (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
      (6, 5, 9, 8, 7, 1, 0, 4, 3, 2), (7, 6, 5, 9, 8, 2, 1, 0, 4, 3), (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
      (9, 8, 7, 6, 5, 4, 3, 2, 1, 0))  # fmt: skip
_P = ((0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 5, 7, 6, 2, 8, 3, 0, 9, 4), (5, 8, 0, 3, 7, 9, 6, 1, 4, 2),
      (8, 9, 1, 6, 0, 4, 3, 5, 2, 7), (9, 4, 5, 3, 1, 2, 6, 8, 7, 0), (4, 2, 8, 6, 5, 7, 3, 9, 0, 1),
      (2, 7, 9, 3, 8, 0, 6, 4, 1, 5), (7, 0, 4, 6, 9, 1, 3, 2, 5, 8))  # fmt: skip


def verhoeff(number: str) -> bool:
    """Whether the last digit is right by Verhoeff's scheme, as in every SNOMED CT identifier."""
    check = 0
    for position, digit in enumerate(reversed(number)):
        check = _D[check][_P[position % 8][int(digit)]]
    return check == 0


def modulus_10(code: str) -> bool:
    """Whether the digit after the hyphen is right, as in every LOINC code."""
    number, check = code.split("-")
    odd = str(int(number[::-1][::2]) * 2)
    even = number[::-1][1::2]
    total = sum(int(one) for one in odd + even)
    return (10 - total % 10) % 10 == int(check)


def is_plausible(system: str, code: str) -> bool:
    """Whether a code may be one of its system by its form and check digit; of other systems nothing is known here."""
    if system == SNOMED_CT:
        return code.isascii() and code.isdigit() and 6 <= len(code) <= 18 and verhoeff(code)
    if system == LOINC:
        number, hyphen, check = code.partition("-")
        digits = number + check
        return (
            bool(hyphen and number) and len(check) == 1 and digits.isascii() and digits.isdigit() and modulus_10(code)
        )
    return True
