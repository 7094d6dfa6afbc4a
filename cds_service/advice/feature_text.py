"""What a feature, a diagnosis or a medicine is called on a card, with its value and day; never a patient's own text."""

from __future__ import annotations

from datetime import datetime

from cds_service.advice import number_text
from fhir_mappings.features.features import FEATURES
from fhir_mappings.features.iron_status import DEFINITIONS as RESULTS
from fhir_mappings.results.feature import Feature
from fhir_mappings.terminology.value_sets import STANDARD

# What needs no label beside it.
_ALONE = {
    "current": "current smoker", "former": "former smoker", "never": "never smoked",
    "partially dependent": "partly dependent", "totally dependent": "totally dependent",
}  # fmt: skip
_DOUBTS = {
    "unit-assumed": "unit assumed",
    "newer-unreadable": "a newer one was not read",
    "other-unreadable": "another one was not read",
}
_MEDICINES = {
    "sglt2_inhibitor": "SGLT2 inhibitor on the medication list",
    "glp1_receptor_agonist": "GLP-1 medicine on the medication list",
    "doac": "DOAC on the medication list",
    "p2y12_inhibitor": "P2Y12 inhibitor on the medication list",
}


def feature(feature: Feature, today: datetime) -> str:
    """Label, value and, for a result or an answer, its day: "haemoglobin 10.9 g/dL, 3 Nov"."""
    day = _day(feature, today)
    return _text(feature) + (f", {day}" if day else "") + _doubt(feature)


def in_a_list(feature: Feature, today: datetime) -> str:
    """As `feature`, where commas part one from the next: "haemoglobin 10.9 g/dL (3 Nov)"."""
    day = _day(feature, today)
    return _text(feature) + (f" ({day})" if day else "") + _doubt(feature)


def _day(feature: Feature, today: datetime) -> str:
    is_observed = (feature.source or "").startswith("Observation/")
    return number_text.day(feature.time, today) if feature.time is not None and is_observed else ""


def _doubt(feature: Feature) -> str:
    """What a reader has to know of a number before it is believed."""
    return "".join(f" [{words}]" for flag, words in _DOUBTS.items() if flag in feature.flags)


def _text(feature: Feature) -> str:
    """Label and value, as people say it: "male sex", "no diabetes", "current smoker", "haemoglobin 10.9 g/dL"."""
    definition = feature.definition or FEATURES.get(feature.name) or RESULTS[feature.name]
    told = number_text.value(feature, definition)
    if feature.name == "sex":
        return f"{told} sex" + (" (at birth; recorded gender differs)" if "sex-differs" in feature.flags else "")
    if told in ("yes", "no"):
        return definition.label if told == "yes" else f"no {definition.label}"
    return _ALONE.get(told) or f"{definition.label} {told}"


def diagnosis(idea: str) -> str:
    """The title of the value set, as it stands within a sentence: "osteoporosis"."""
    title = STANDARD.by_id[idea].title
    return title[:1].lower() + title[1:]


def procedure(idea: str, when: datetime, today: datetime) -> str:
    """What was done, and its day: "coronary stent, 3 Jul"."""
    return f"{diagnosis(idea)}, {number_text.day(when, today)}"


def medicine(drug_class: str) -> str:
    """Which class of medicine is taken."""
    return _MEDICINES[drug_class]
