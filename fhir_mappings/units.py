"""Units: UCUM and the ways in which hospitals write them, and the factors between them, tabulated once at start.

Factors within one dimension are UCUM's own (unit_factors.json, written by ucumvert and pint); those that depend on
the analyte stand in measurement_rules.py under their sources. While a request is answered there is only a look-up.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import msgspec
from msgspec import Struct

from fhir_mappings.code_systems import UCUM, canonical


class Conversion(Struct, frozen=True, gc=False):
    """canonical number = recorded number * factor + offset."""

    factor: float = 1.0
    offset: float = 0.0

    @property
    def changes_the_number(self) -> bool:
        """Whether the unit is more than another spelling of the canonical one."""
        return self.factor != 1.0 or self.offset != 0.0

    def apply(self, number: float) -> float:
        """The number in the canonical unit."""
        return number * self.factor + self.offset


SAME = Conversion()

# Texts as they are left by _squeeze, and the UCUM unit each means. Source: clinical/inputs.md 1.4 and the samples
# of messy case 14.
_ALIASES = {
    "g/dl": "g/dL",
    "g/l": "g/L",
    "mg/dl": "mg/dL",
    "mg%": "mg/dL",
    "umol/l": "umol/L",
    "micromol/l": "umol/L",
    "mmol/l": "mmol/L",
    "meq/l": "meq/L",
    "mmol/mol": "mmol/mol",
    "k/ul": "10*3/uL",
    "thou/ul": "10*3/uL",
    "10*3/ul": "10*3/uL",
    "10*3/mm3": "10*3/mm3",
    "10*9/l": "10*9/L",
    "/ul": "/uL",
    "%": "%",
    "percent": "%",
    "kg": "kg",
    "kgs": "kg",
    "g": "g",
    "lb": "[lb_av]",
    "lbs": "[lb_av]",
    "pound": "[lb_av]",
    "pounds": "[lb_av]",
    "[lb_av]": "[lb_av]",
    "cm": "cm",
    "m": "m",
    "mm": "mm",
    "in": "[in_i]",
    "in_i": "[in_i]",
    "inch": "[in_i]",
    "inches": "[in_i]",
    "[in_i]": "[in_i]",
    "kg/m2": "kg/m2",
    "{inr}": "{INR}",
    "inr": "{INR}",
    "ratio": "{ratio}",
    "{ratio}": "{ratio}",
    "1": "1",
    "{score}": "{score}",
    "score": "{score}",
    "{tscore}": "{T-score}",
    "{t-score}": "{T-score}",
    "t-score": "{T-score}",
    "[hnsf'u]": "[hnsf'U]",
    "hu": "[hnsf'U]",
}
_PER_AREA = re.compile(r"ml/min/(\{?|\[?)1\.73_?m(2|\^2|\*2)?(sq)?[}\]]?\Z")
_LEADING_TEN = re.compile(r"\Ax?10(\^|\*\*|\*|e)?(?=[39]/)")

# Readable units that no input takes: they make a unit "not the right one" rather than "not understood".
# tests/fhir_mappings/test_units.py has each parsed by ucumvert.
_OTHER_UNITS = """
ng/mL ng/dL ug/mL ug/dL ug/L pg/mL pg mg/L mg/g mg mg/kg ug g/mL mmol/kg mosm/kg nmol/L pmol/L fmol/L mol/L U/L
[IU]/L [iU]/L m[IU]/L u[IU]/mL [IU]/mL kat/L ukat/L mL/min mL/min/m2 mL/s mm[Hg] kPa /min Cel [degF] K s min h d
wk mo a fL 10*6/uL 10*12/L /L /mL /[HPF] /[LPF] mL L dL mm/h deg L/min [oz_av] km mmol mol mg/24.h g/24.h umol mmol/d
"""
OTHER_UNITS = frozenset(_OTHER_UNITS.split())


@lru_cache(maxsize=4096)
def ucum(text: str) -> str:
    """The UCUM unit that a text means; "" where it is not understood."""
    if text in OTHER_UNITS:
        return text
    squeezed = _squeeze(text)
    if found := _ALIASES.get(squeezed):
        return found
    return "mL/min/{1.73_m2}" if _PER_AREA.match(squeezed) else ""


def _squeeze(text: str) -> str:
    """Without blanks, in lower case, with u for micro, g for gm and 10*3 for every way to write a thousand."""
    text = "".join(text.split()).lower()
    text = text.replace("µ", "u").replace("μ", "u").replace("mcmol", "umol").replace("mcl", "ul")
    text = re.sub(r"\bgm(?=/|\Z)", "g", text)
    return _LEADING_TEN.sub("10*", text)


def unit_of(code: str | None, system: str | None, text: str | None) -> tuple[str, bool]:
    """The UCUM unit of a quantity ("" where not understood), and whether its text says another one.

    `code` wins over `unit` where both are understood (messy case 15); a code outside UCUM only if it reads as one.
    """
    by_code = ucum(code) if code else ""
    by_text = ucum(text) if text else ""
    if code and (by_code or canonical(system) == UCUM):
        return by_code, bool(by_text and by_text != by_code)
    return by_text, False


def tabulated(unit: str, others: tuple[str, ...]) -> dict[str, Conversion]:
    """How each of `others` becomes `unit`, as UCUM defines them. Raises KeyError for a pair not in the table."""
    return {unit: SAME, **{other: Conversion(_FACTORS[f"{other} -> {unit}"]) for other in others}}


# Written by `python -m fhir_mappings.unit_factors`, which asks ucumvert and pint: half a second and 40 MB that no
# worker should spend. tests/fhir_mappings/test_units.py asks the library again.
_FACTORS: dict[str, float] = msgspec.json.decode(Path(__file__).with_name("unit_factors.json").read_bytes())
