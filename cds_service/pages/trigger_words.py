"""A trigger of the catalogue in words, whole: what has to hold for a row, and what takes it away."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cds_service.advice import feature_text
from cds_service.advice.catalogue import Row, Trigger
from cds_service.advice.operation_attributes import OPERATIONS
from cds_service.pages import words
from fhir_mappings.features.existing_tests import PERFORMED_DAYS
from fhir_mappings.features.features import FEATURES
from fhir_mappings.features.iron_status import DEFINITIONS as RESULTS
from fhir_mappings.results.feature import FeatureDefinition
from fhir_mappings.results.tested_rules import TESTED
from fhir_mappings.terminology.procedure_groups import GROUPS
from fhir_mappings.terminology.value_sets import STANDARD

Features = Mapping[str, FeatureDefinition]
_UNIT = str.maketrans({"{": "", "}": "", "_": " "})
_SETTINGS = {
    "hba1c_percent": "the hospital's limit (8 % where it names none)",
    "hba1c_percent_spine": "the hospital's limit before spine surgery (as for all where it names none)",
}


class Told(msgspec.Struct, frozen=True):
    """One fact in words; or that all or any of the parts have to hold."""

    text: str
    parts: tuple[Told, ...] = ()


def when(row: Row, features: Features = FEATURES) -> Told:
    """What has to hold. `features`: a site's own among them, where the row is its own."""
    return in_words(row.trigger, features)


def unless(row: Row, features: Features = FEATURES) -> Told | None:
    """What takes the row away; None where nothing in a record does."""
    return in_words(row.unless, features) if row.unless is not None else None


def in_words(trigger: Trigger, features: Features = FEATURES) -> Told:
    """Each part of the trigger, none left out."""
    if trigger.all:
        return Told("all of these:", tuple(in_words(part, features) for part in trigger.all))
    if trigger.any:
        return Told("any of these:", tuple(in_words(part, features) for part in trigger.any))
    return Told(_fact(trigger, features))


def _fact(trigger: Trigger, features: Features) -> str:
    if trigger.feature is not None or trigger.result is not None:
        return _value(trigger, features)
    if trigger.operation is not None:
        return f"the operation: {OPERATIONS.attributes[trigger.operation].words}"
    if trigger.band is not None:
        return f"the risk is {words.BAND_WORDS[trigger.band]}"
    if trigger.warned:
        return "the card is a warning: a high risk by all that is known"
    return _recorded(trigger)


def _recorded(trigger: Trigger) -> str:
    """A diagnosis, a medicine, or something that was done."""
    if trigger.diagnosis is not None:
        return f"{feature_text.diagnosis(trigger.diagnosis)} on the problem list"
    if trigger.medicine is not None:
        return feature_text.medicine(trigger.medicine)
    if (name := trigger.performed) is not None:
        return f"{feature_text.diagnosis(name)} in the last {PERFORMED_DAYS[name]} days"
    if (name := trigger.result_done) is not None:
        return f"{_test(name)} done in the last {TESTED[name].days} days"
    name = trigger.result_not_done or ""
    return f"{_test(name)} searched for and not found in the last {TESTED[name].days} days"


def _test(name: str) -> str:
    return STANDARD.by_id[name].title


def _value(trigger: Trigger, features: Features) -> str:
    """A feature or a result, and on which side of what."""
    definition = features[trigger.feature] if trigger.feature is not None else RESULTS[trigger.result or ""]
    unit = "" if definition.unit == "1" else f" {definition.unit.translate(_UNIT)}"
    days = f" in the last {definition.lookback_days} days" if definition.lookback_days else ""
    if trigger.not_done:
        return f"{definition.label} searched for and not found{days}"
    if trigger.known:
        return f"{definition.label} known, whatever it is"
    if trigger.older_than_days is not None:
        return f"{definition.label} older than {trigger.older_than_days:g} days"
    if trigger.is_ is not None:
        return _category(definition.label, trigger.is_)
    if trigger.setting is not None:
        return f"{definition.label} at or above {_SETTINGS[trigger.setting]}"
    for limit, side in ((trigger.above, "above"), (trigger.at_least, "at least"), (trigger.below, "below")):
        if limit is not None:
            return f"{definition.label} {side} {limit:g}{unit}"
    raise ValueError(f"{definition.name}: a trigger without a condition")


def _category(label: str, wanted: bool | str) -> str:
    if isinstance(wanted, bool):
        return label if wanted else f"no {label}"
    return f"{label}: {GROUPS[wanted].label if wanted in GROUPS else words.plain(wanted)}"
