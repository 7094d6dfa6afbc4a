"""Units as UCUM and as hospitals write them: each text means one UCUM unit, or none.

A UCUM code is looked up as it stands, then without its annotations (`g/dL{Hb}`), which by UCUM's grammar say nothing
of the number; a text is then folded: without blanks and case, in plain characters. Source: inputs 1.4,
messy case 14, https://ucum.org/ucum (2.3 on annotations), and what laboratories print, language by language, below.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from fhir_mappings.terminology.code_systems import UCUM, canonical
from fhir_mappings.terminology.units import FACTORS

_LONGEST = 64  # characters; a longer text is no unit, and nothing of it is remembered
PER_AREA = "mL/min/{1.73_m2}"
# Giga per litre of cells (Austria, Switzerland, France), gram per litre of a mass: each input knows which it can be.
GIGA_OR_GRAM = "G/L"
MEANINGS_OF = {GIGA_OR_GRAM: ("10*9/L", "g/L")}

# Readable units that no input takes: they make a unit "not the right one" rather than "not understood".
# tests/fhir_mappings/terminology/test_units.py has each parsed by ucumvert.
_OTHER_UNITS = """
pg mg/g ug mg/kg mmol/kg mosm/kg U/L [IU]/L [iU]/L m[IU]/L u[IU]/mL [IU]/mL kat/L ukat/L mL/min mL/min/m2 mL/s mm[Hg]
kPa /min Cel [degF] K s min h d wk mo a fL /[HPF] /[LPF] mL L dL mm/h deg L/min km mmol mol umol mg/24.h g/24.h mmol/d
"""
OTHER_UNITS = frozenset(_OTHER_UNITS.split())
_SPECIAL = ("%", "1", "{INR}", "{ratio}", "{score}", "{T-score}", "[hnsf'U]", PER_AREA)
_EXACT = OTHER_UNITS.union(_SPECIAL, *FACTORS.values())
_FOLDED = {unit.lower(): unit for unit in sorted(_EXACT, key=lambda unit: unit not in OTHER_UNITS)}

# Texts as they are left by _fold, and the UCUM unit each means.
_ALIASES = {
    "mg%": "mg/dL",
    "g%": "g/dL",
    "mval/l": "meq/L",  # Germany, the former name of the equivalent
    "kgs": "kg",
    "kilogram": "kg",
    "kilograms": "kg",
    "lb": "[lb_av]",
    "lbs": "[lb_av]",
    "pound": "[lb_av]",
    "pounds": "[lb_av]",
    "in": "[in_i]",
    "in_i": "[in_i]",
    "inch": "[in_i]",
    "inches": "[in_i]",
    "cms": "cm",
    "inr": "{INR}",
    "ratio": "{ratio}",
    "score": "{score}",
    "t-score": "{T-score}",
    "{tscore}": "{T-score}",
    "hu": "[hnsf'U]",
    "t/l": "10*12/L",
    **dict.fromkeys(
        ("percent", "pct", "%ngsp", "%(ngsp)", "%dcct", "%(dcct)", "%ofhb", "%oftotalhb", "%oftotalhgb"), "%"
    ),
    **dict.fromkeys(("%hb", "%hgb", "%a1c", "%hba1c", "%hgba1c"), "%"),
    **dict.fromkeys(("mmol/molhb", "mmol/molhgb", "mmol/molhba1c", "mmol/mol(ifcc)", "mmol/molifcc"), "mmol/mol"),
}
# What stands for a thousand, a million, … of cells: English, German, Italian ("mila", "mil"), Spanish and Portuguese
# ("mil"), Polish and Czech, French, thousand millions, Indian (lakh: a hundred thousand) and Japanese (ten thousand).
_COUNT_WORDS = {
    **dict.fromkeys(("", "1", "cells", "cell"), 0),
    **dict.fromkeys(("k", "th", "thou", "thousand", "thousands", "1000"), 3),
    **dict.fromkeys(("tsd", "mila", "mil", "miles", "tys", "tis"), 3),
    "万": 4,
    **dict.fromkeys(("lakh", "lakhs", "lac", "lacs"), 5),
    **dict.fromkeys(("mill", "mio", "million", "millions", "milioni"), 6),
    **dict.fromkeys(("giga", "gpt", "mrd", "mrd.", "mld", "mld.", "milliards", "miliardi"), 9),
    **dict.fromkeys(("tera", "tpt"), 12),
}
_COUNT = re.compile(r"(?:10(?:\*\*|\*|\^|\(|exp|x|e\+|e|)|1e\+?|e\+?)0?(3|4|5|6|9|12)\)?\Z")
_PER_AREA = re.compile(r"ml[/.](?:min|mn)(?:-1)?[/.](?:per)?[({\[]?1\.73[._]?[({\[]?m-?2(?:bsa)?[)}\]]{0,2}\Z")
_ANNOTATION = re.compile(r"\{[^{}]*\}")
# HbA1c in per cent of the Japanese or Swedish scale, or of IFCC's, is another number; a tetramer is four times as much.
_ANOTHER_SCALE = re.compile(r"jds|mono-?s|tetramer|hb4|\A%[^i]{0,9}ifcc")

_EXPONENTS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"
_RAISED = re.compile(rf"(\d?)([{_EXPONENTS}]+)")
_PLAIN_EXPONENTS = str.maketrans(_EXPONENTS, "0123456789-")
_PLAIN = str.maketrans({"μ": "u", "×": "x", "·": ".", "⋅": ".", "∙": ".", "−": "-", "⁄": "/", "∕": "/"})
_REPLACED = (
    ("mcmol", "umol"),
    ("micromol", "umol"),
    ("mcg", "ug"),
    ("mcl", "ul"),
    ("/100ml", "/dl"),
    ("cu.mm", "mm3"),
    ("cumm", "mm3"),
    ("cmm", "mm3"),
    ("mmc", "mm3"),  # millimetro cubo
    ("sqm", "m2"),
    ("qm", "m2"),  # Quadratmeter
    ("m**", "m"),
    ("m^", "m"),
    ("m*", "m"),
    ("1,73", "1.73"),
)
_GRAM = re.compile(r"\b(m?)(?:gms?|grs?|grams?)(?=[/%]|\Z)")
_INVERSE = re.compile(r"\.([a-z0-9]{1,8})-1\Z")


def ucum(text: str) -> str:
    """The UCUM unit that a text means; "" where it is not understood."""
    return _ucum(text) if len(text) <= _LONGEST else ""


def folded(text: str) -> str:
    """A text as it is compared with those that are known; "" for one that is too long to be a unit."""
    return _fold(_plain(text)) if len(text) <= _LONGEST else ""


@lru_cache(maxsize=4096)
def _ucum(text: str) -> str:
    if text in _EXACT:
        return text
    plain = _plain(text)
    if plain in ("G/L", "G/l"):
        return GIGA_OR_GRAM
    plainest = _fold(plain)
    found = _ALIASES.get(plainest) or _FOLDED.get(plainest) or (PER_AREA if _PER_AREA.match(plainest) else "")
    if found or _ANOTHER_SCALE.search(plainest):
        return found
    bare = _ANNOTATION.sub("", plain)
    if bare == plain:
        return _counted(plainest)
    return ucum(bare) if bare else "1"


def _plain(text: str) -> str:
    """Without blanks, in the plain characters of UCUM: "10⁹/L" is 10*9/L, "kg/m²" is kg/m2, "㎎/㎗" is mg/dl."""
    text = _RAISED.sub(_exponent, "".join(text.split()))
    return "".join(unicodedata.normalize("NFKC", text).translate(_PLAIN).split())


def _exponent(raised: re.Match[str]) -> str:
    exponent = raised[2].translate(_PLAIN_EXPONENTS)
    return f"{raised[1]}*{exponent}" if raised[1] else exponent


def _fold(plain: str) -> str:
    """In lower case, with one way to write each gram, litre, square and cube."""
    text = plain.lower()
    for written, meant in _REPLACED:
        text = text.replace(written, meant)
    return _INVERSE.sub(r"/\1", _GRAM.sub(r"\1g", text))


def _counted(text: str) -> str:
    """The UCUM unit of a number of cells in a volume: "x10e9/l", "tsd./ul", "lakhs/mm3"."""
    many, _, volume = text.partition("/")
    many = many.strip(".*x").removesuffix("cells").rstrip(".")
    power = int(found[1]) if (found := _COUNT.match(many)) else _COUNT_WORDS.get(many)
    unit = _FOLDED.get(f"/{volume}")
    return "" if power is None or unit not in FACTORS["10*3/uL"] else f"10*{power}{unit}" if power else unit


def unit_of(code: str | None, system: str | None, text: str | None) -> tuple[str, str]:
    """The UCUM unit of a quantity ("" where not understood), and the other one that its text says, if it does.

    `code` wins over `unit` where both are understood (messy case 15); a code outside UCUM only if it reads as one.
    """
    by_code = ucum(code) if code else ""
    by_text = ucum(text) if text else ""
    if code and (by_code or canonical(system) == UCUM):
        return by_code, by_text if by_text != by_code else ""
    return by_text, ""
