"""How pages put names and numbers; risks are worded by advice.number_text, as on the card."""

from __future__ import annotations

from cds_service.advice import number_text
from fhir_mappings.features.features import FEATURES
from fhir_mappings.results.feature import Features
from fhir_mappings.terminology.code_systems import NAMES
from fhir_mappings.terminology.procedure_groups import GROUPS

percent = number_text.percent
_SHORT = {"asa": "ASA", "bmi": "BMI", "inr": "INR", "egfr": "eGFR", "copd": "COPD", "hiv": "HIV"}
STATUS_WORDS = {
    "used": "used",
    "used-with-conversion": "used, unit converted",
    "stale": "too old",
    "missing": "missing",
    "rejected": "rejected",
    "conflicting": "conflicting",
    "computed": "computed",
    "score-only": "points only",
    "range": "a range",
    "not-computable": "not computable",
    "out-of-scope": "outside the model's scope",
}

# What is to be known of a value; other flags are told by their name.
FLAG_WORDS = {
    "bmi-computed": "computed from height and weight",
    "egfr-computed": "computed from creatinine",
}

# How a figure compares with the usual one; told only where everything that is possible lies in one band (DEC-38).
BAND_WORDS = {
    "below-typical": "below usual",
    "typical": "as usual",
    "above-typical": "above usual",
    "well-above-typical": "well above usual",
}
# Code systems as people know them; others are told by their address.
SYSTEM_WORDS = {
    address: name.upper().replace("SNOMED-CT", "SNOMED CT").replace("RXNORM", "RxNorm")
    for name, address in NAMES.items()
}
# Why an entry of a list was not understood (fhir_mappings/terminology/understanding.py).
WHY_WORDS = {
    "unread": "not readable",
    "masked": "withheld",
    "words-only": "in words, without a code",
    "system-not-read": "in a code system that is not read here",
    "code-not-listed": "with a code that is in no list here",
    "modifier-unknown": "with a status or modifier that is not known here",
    "subject-unclear": "without a clear patient",
    "not-sent": "on the server, and not sent",
}


def label(name: str, found: Features | None = None) -> str:
    """An input as a clinician calls it; its name in words where no feature has it.

    `found`: the features of a person, of which one that the site added is called as the site does.
    """
    own = found[name].definition if found is not None and name in found else None
    return labelled(name, own.label if own is not None else "")


def labelled(name: str, told: str = "") -> str:
    """As `label`, by the words of the site where it has some."""
    if name in FEATURES:
        told = FEATURES[name].label
    words = [_SHORT.get(word, word) for word in (told.split(" ") if told else name.split("_"))]
    first = words[0] if words[0][1:2].isupper() else words[0][:1].upper() + words[0][1:]
    return " ".join([first, *words[1:]])


def plain(code: str) -> str:
    """A code of ours in words: a status, a band, a category, a reason."""
    return STATUS_WORDS.get(code, code.replace("-", " ").replace("_", " "))


def operation(group: str) -> str:
    """A group of operations as the card calls it."""
    return GROUPS[group].label if group in GROUPS else plain(group)


def share(probability: float, denominator: int) -> str:
    """A natural frequency: "about 8 in 1,000"."""
    return number_text.frequency(probability, denominator)


def number(value: float, digits: int = 2) -> str:
    """A plain number with at most `digits` decimals."""
    return f"{value:,.{digits}f}" if isinstance(value, float) and not value.is_integer() else f"{value:,.0f}"
