"""Which classes a coded medicine belongs to: RxNorm by table, ATC by prefix; what cannot be told is unknown, not no."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from fhir_mappings.fhir.elements import CodeableConcept, MedicineConcept
from fhir_mappings.terminology.code_systems import ATC, RXNORM, canonical, normalised
from fhir_mappings.terminology.concept_maps import Vocabulary
from fhir_mappings.terminology.listed_codes import is_drug_code
from fhir_mappings.terminology.value_sets import UNVERIFIED
from models_onnx import data_files

# Inputs 6. Source of the classification: WHO Collaborating Centre, ATC index.
ATC_PREFIXES = {
    "insulin": ("A10A",),
    "anticoagulant": ("B01AA", "B01AB", "B01AE", "B01AF", "B01AX05"),
    "antiplatelet": ("B01AC",),
    "steroid": ("H02AB",),
    "opioid": ("N02A", "N07BC01", "N07BC02", "R05DA03", "R05DA04"),
    "antihypertensive": ("C02", "C03", "C07", "C08", "C09"),
}
CLASSES = frozenset(ATC_PREFIXES)
# A combination counts for each ingredient, and aspirin in any dose (inputs 6), in whatever group ATC has them: aspirin
# and carbasalate, and statins with drugs for blood pressure. Source: the same index, by codes that public lists share.
_WITH_ASPIRIN = """
C07FX02 C07FX03 C07FX04 C10BX01 C10BX02 C10BX04 C10BX05 C10BX06 C10BX08 C10BX12 M01BA03 N02AJ02 N02AJ07 N02AJ18
N02BA01 N02BA15 N02BA51 N02BA65 N02BA71
"""
_WITH_ANTIHYPERTENSIVE = """
C10BX03 C10BX04 C10BX06 C10BX07 C10BX09 C10BX10 C10BX11 C10BX12 C10BX13 C10BX14 C10BX15 C10BX17 C10BX18 C10BX19
"""
_ATC_COMBINED = {
    "antiplatelet": frozenset(_WITH_ASPIRIN.split()),
    "antihypertensive": frozenset(_WITH_ANTIHYPERTENSIVE.split()),
}
# Groups in which a code, other than those above, may have a drug of these classes, or one by a way that is not known.
_STATINS_WITH_OTHERS = "C10BX"
_ATC_PERHAPS = {
    _STATINS_WITH_OTHERS: ("antiplatelet", "antihypertensive"),
    "H02BX": ("steroid",),
    "M01BA": ("steroid",),
    "R05DA20": ("opioid",),
    "R05FA": ("opioid",),
}

# RxNorm ingredients whose class hangs on the form (inputs 6); k.
FORM_DEPENDENT = {
    "5224": ("anticoagulant", "heparin"),
    "3264": ("steroid", "dexamethasone"),
    "5492": ("steroid", "hydrocortisone"),
    "8638": ("steroid", "prednisolone"),
    "1514": ("steroid", "betamethasone"),
    "10759": ("steroid", "triamcinolone"),
    "10600": ("antihypertensive", "timolol"),
    "1520": ("antihypertensive", "betaxolol"),
    "6984": ("antihypertensive", "minoxidil"),
}
# SNOMED CT routes, k. Systemic: oral, intravenous, intramuscular, subcutaneous. Local: topical, ophthalmic, otic,
# nasal, rectal, vaginal, inhalation, intra-articular. https://hl7.org/fhir/R4/valueset-route-codes.html
SYSTEMIC_ROUTES = frozenset({"26643006", "47625008", "78421000", "34206005"})
LOCAL_ROUTES = frozenset(
    {"6064005", "54485002", "10547007", "46713006", "37161004", "16857009", "447694001", "12130007"}
)


class Drug(Struct, frozen=True, gc=False):
    """What a medicine is: (class, ingredient) pairs, names of its ingredients, and classes it could also be.

    `unnamed`: the classes that a part of it could be of whose ingredient is not known.
    """

    classes: tuple[tuple[str, str], ...] = ()
    ingredients: frozenset[str] = frozenset()
    possible: frozenset[str] = frozenset()
    unnamed: frozenset[str] = frozenset()


UNKNOWN = Drug(possible=CLASSES, unnamed=CLASSES)
# https://terminology.hl7.org/CodeSystem-CVX.html (and its OID): vaccines and immune globulins, none of a class.
_VACCINES = frozenset({"http://hl7.org/fhir/sid/cvx", "urn:oid:2.16.840.1.113883.12.292"})
_VACCINE_CODE = re.compile(r"[0-9]{1,3}")
_HEADER = ("code", "ingredient", "class", "atc", "trust")


def _load() -> tuple[dict[str, tuple[tuple[str, str, str], ...]], frozenset[str]]:
    """(class, ingredient, ATC code) by RxNorm code; and the codes of which a row stands in one public source only."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    unverified = set()
    rows = data_files.read_rows(Path(__file__).with_name("rxnorm_classes.csv"), _HEADER, key=_HEADER[:3])
    for code, ingredient, drug_class, atc, trust in rows:
        found.setdefault(code, []).append((drug_class, ingredient, atc))
        if trust == UNVERIFIED:
            unverified.add(code)
    return {code: tuple(rows) for code, rows in found.items()}, frozenset(unverified)


_RXNORM, _UNVERIFIED = _load()
_CLASSES_OF_INGREDIENT: dict[str, set[str]] = {}
_ATC_OF_INGREDIENT: dict[str, frozenset[str]] = {}
# https://atcddd.fhi.no/atc/structure_and_principles/: how long the codes of the groups are; a substance has seven.
_ATC_GROUPS, _ATC_SUBSTANCE = (1, 3, 4, 5), 7
for _rows in _RXNORM.values():
    for _class, _ingredient, _atc in _rows:
        _ATC_OF_INGREDIENT[_ingredient] = _ATC_OF_INGREDIENT.get(_ingredient, frozenset()) | ({_atc} - {""})
        if _class in CLASSES:
            _CLASSES_OF_INGREDIENT.setdefault(_ingredient, set()).add(_class)
_WORD = re.compile(r"\w+")


def _names() -> dict[str, frozenset[str]]:
    """The ingredients of the table by their own names and by the brands of which they are."""
    found = {name: frozenset({name}) for name in _CLASSES_OF_INGREDIENT}
    header = ("brand", "ingredient")
    for brand, ingredient in data_files.read_rows(Path(__file__).with_name("rxnorm_brands.csv"), header, key=header):
        found[brand] = found.get(brand, frozenset()) | {ingredient}
    return found


_INGREDIENTS_OF = _names()
_MOST_WORDS = max(len(name.split()) for name in _INGREDIENTS_OF)


def _named(text: str) -> frozenset[str]:
    """The ingredients of the table that a text names as whole words, or by a brand, several words together included."""
    words = _WORD.findall(text.lower())
    together = (" ".join(words[at : at + many]) for at in range(len(words)) for many in range(1, _MOST_WORDS + 1))
    return frozenset().union(*(_INGREDIENTS_OF[name] for name in together if name in _INGREDIENTS_OF))


def atc_of(ingredient: str) -> frozenset[str]:
    """The ATC codes of an ingredient of the table."""
    return _ATC_OF_INGREDIENT.get(ingredient, frozenset())


def groups_of(atc: str) -> frozenset[str]:
    """The groups above an ATC code; none of what is no such code."""
    if not is_drug_code(ATC, atc):
        return frozenset()
    return frozenset(atc[:length] for length in _ATC_GROUPS if length < len(atc))


def is_substance(atc: str) -> bool:
    """Whether an ATC code is one of a substance, not of a group."""
    return len(atc) == _ATC_SUBSTANCE


def route_codes(routes: Iterable[CodeableConcept]) -> frozenset[str]:
    """The codes of all routes: looked at once for a medicine, however many codings it has."""
    return frozenset(coding.code for route in routes for coding in route.coding if coding.code)


def understood(concept: MedicineConcept | None, routes: frozenset[str], words: Vocabulary) -> Drug:
    """What a coded medicine is. No valid RxNorm or ATC code, its own or by the site's map: its class is not known."""
    drugs = list(_drugs(concept, routes, words)) if concept else []
    return joined(drugs) if drugs else UNKNOWN


def named_in_words(concept: MedicineConcept | None) -> Drug:
    """What the words of a medicine could be, each ingredient of the table that they name; looked at once."""
    if concept is None:
        return Drug()
    return _by_words(" ; ".join(filter(None, (concept.text, *(one.display for one in concept.coding)))))


def joined(drugs: Iterable[Drug]) -> Drug:
    """Several codings, or several ingredients, as one medicine."""
    drugs = tuple(drugs)
    classes = dict.fromkeys(pair for one in drugs for pair in one.classes)
    known = {name for name, _ in classes}
    return Drug(
        tuple(sorted(classes)),
        frozenset().union(*(one.ingredients for one in drugs)),
        frozenset().union(*(one.possible for one in drugs)) - known,
        frozenset().union(*(one.unnamed for one in drugs)),
    )


def _drugs(concept: MedicineConcept, routes: frozenset[str], words: Vocabulary) -> Iterable[Drug]:
    """What each code is, and what else the words name where a code is in no table: looked at once, not once a code."""
    in_no_table = False
    for coding in concept.coding:
        if not coding.system or not coding.code:
            continue
        codes = ((canonical(coding.system), coding.code), *words.maps.translate(coding.system, coding.code))
        for system, code in codes:
            if system in _VACCINES and _VACCINE_CODE.fullmatch(code.strip()):
                yield Drug()
            if not is_drug_code(system, code):
                continue
            if (drug := _by_code(system, code, routes, words)) is not None:
                yield drug
            else:
                in_no_table = True
                yield _by_words(coding.display or "")
    if in_no_table:
        yield _by_words(concept.text or "")
    if not concept.coding and concept.text:
        for system, code in words.texts(concept.text):
            yield (_by_rxnorm(code, routes) or Drug()) if system == RXNORM else _by_atc(code)


def _by_code(system: str, code: str, routes: frozenset[str], words: Vocabulary) -> Drug | None:
    """None for a code of RxNorm that the table lacks: another drug, unless its words name one of the table."""
    code = normalised(system, code)
    if system == ATC:
        return _by_atc(code)
    drug = _by_rxnorm(code, routes)
    if drug is not None and words.value_sets.only_verified and _is_unverified(code):
        return _undecided(drug)
    return drug


def _by_rxnorm(code: str, routes: frozenset[str]) -> Drug | None:
    if rows := _RXNORM.get(code):
        return Drug(
            tuple((drug_class, ingredient) for drug_class, ingredient, _ in rows if drug_class in CLASSES),
            frozenset(name for _, ingredient, atc in rows for name in (ingredient, atc)),
        )
    return _by_route(*FORM_DEPENDENT[code], routes) if code in FORM_DEPENDENT else None


def _by_words(text: str) -> Drug:
    named = _named(text)
    return Drug(ingredients=named, possible=frozenset(one for word in named for one in _CLASSES_OF_INGREDIENT[word]))


def _is_unverified(code: str) -> bool:
    return code in _UNVERIFIED or code in FORM_DEPENDENT


def _undecided(drug: Drug) -> Drug:
    """A medicine by a code that this tenant does not take as proof: it may be what the table says, or may not."""
    return Drug(ingredients=drug.ingredients, possible=drug.possible | {name for name, _ in drug.classes})


def _by_route(drug_class: str, ingredient: str, routes: frozenset[str]) -> Drug:
    if not routes.isdisjoint(SYSTEMIC_ROUTES):
        return Drug(((drug_class, ingredient),), frozenset({ingredient}))
    if routes and routes <= LOCAL_ROUTES:
        return Drug(ingredients=frozenset({f"{ingredient}, local"}))  # says nothing of the same by mouth
    return Drug(ingredients=frozenset({ingredient}), possible=frozenset({drug_class}))


def _by_atc(code: str) -> Drug:
    classes = tuple(
        (name, code)
        for name, prefixes in ATC_PREFIXES.items()
        if any(code.startswith(one) for one in prefixes) or code in _ATC_COMBINED.get(name, ())
    )
    possible = {
        name
        for name, prefixes in ATC_PREFIXES.items()
        if any(one.startswith(code) and one != code for one in (*prefixes, *_ATC_COMBINED.get(name, ())))
    }
    for group, names in _ATC_PERHAPS.items():
        is_known = group == _STATINS_WITH_OTHERS and bool(classes)
        if group.startswith(code) or (code.startswith(group) and not is_known):
            possible.update(names)
    return Drug(classes, frozenset({code}), frozenset(possible) - {name for name, _ in classes})
