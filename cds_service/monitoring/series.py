"""What the weekly streams need of a call, and which streams calls, operations and cards count in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date

import msgspec

from cds_service.monitoring.outcome_series import ToldRisk
from cds_service.monitoring.weeks import Sums
from cds_service.records.card_answers import CardAnswer
from cds_service.records.outcome_changes import Statement
from cds_service.records.watched_calls import WatchedCall
from fhir_mappings.features.feature_catalogue import FEATURES
from fhir_mappings.results.result_inputs import LABORATORY

# Silent for a reason that somebody can mend (deploy/surgical-risk-alerts.yaml, SurgicalRiskSilence).
MENDABLE = ("unmapped-", "procedure-ambiguous", "selection-", "required-", "data-")
# By the first word of an input's source, the list that it is read from; laboratory results are a list of their own.
LISTS = {"Condition": "conditions", "MedicationRequest": "medications"}
INPUTS_OF = {
    "laboratory results": tuple(name for name in LABORATORY if name in FEATURES),
    **{
        name: tuple(feature.name for feature in FEATURES.values() if feature.source.split()[0] == word)
        for word, name in LISTS.items()
    },
}
NUMBERS = frozenset(name for name, feature in FEATURES.items() if feature.kind == "number")
_COUNTED = frozenset(name for name, feature in FEATURES.items() if feature.kind != "yes-no")
_SHARED = {name: name for name in FEATURES}


class SeenCall(msgspec.Struct, frozen=True, kw_only=True):
    """What the figures need of the call that stands for an operation, and nothing of the patient's identity.

    `number`: which call of the record it is. `had`, `lacked`: names of inputs. `values`: numbers that were used.
    """

    number: int
    day: date
    had: tuple[str, ...]
    lacked: tuple[str, ...]
    values: Mapping[str, float]
    not_understood: int
    risks: tuple[ToldRisk, ...]
    said: Mapping[str, Statement]
    sex: str
    age_band: str


def seen(call: WatchedCall, number: int, risks: tuple[ToldRisk, ...]) -> SeenCall:
    """A call of the record; an input's value only where it is a number that was used."""
    statuses = {_SHARED.get(one.name, one.name): one.status for one in call.inputs}
    values = {
        _SHARED[one.name]: _number(one.value)
        for one in call.result.inputs
        if one.name in NUMBERS and one.name in statuses and one.status.startswith("used")
    }
    sex, age_band = call.result.cohorts
    champions = {one.outcome for one in call.models if one.state == "champion"}
    return SeenCall(
        number=number,
        day=call.at.date(),
        had=tuple(name for name, status in statuses.items() if status.startswith("used")),
        lacked=tuple(name for name, status in statuses.items() if not status.startswith("used")),
        values={name: value for name, value in values.items() if value is not None},
        not_understood=sum(one.entries for one in call.result.not_understood),
        risks=risks,
        said={outcome: one for outcome, one in call.said.items() if outcome in champions},
        sex=sex,
        age_band=age_band,
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def named(sums: Sums) -> None:
    """The streams that are told whatever the record holds."""
    for figure in ("errors", "silence", "unmapped", "firing"):
        sums.name(figure)
    for figure in ("latency", "not-understood"):
        sums.name(figure, kind="level")
    sums.name("volume", kind="count")
    for name in INPUTS_OF:
        sums.name("lists", name, by_day=True)


def count_call(sums: Sums, call: WatchedCall) -> None:
    """What every call tells, whatever it was about."""
    day = call.at.date()
    sums.add("errors", "", day, call.decision == "error")
    sums.add("latency", "", day, math.log(max(call.total_ms, 0.1)))
    if call.decision != "error":
        sums.add("silence", "", day, call.decision == "silence" and call.reason.startswith(MENDABLE))
        if call.inputs or call.unmapped:
            sums.add("unmapped", "", day, call.unmapped)
    if call.inputs:
        statuses = {one.name: one.status for one in call.inputs}
        for name, inputs in INPUTS_OF.items():
            sums.add("lists", name, day, _all_missing(statuses, inputs))


def count_operation(sums: Sums, call: SeenCall, *, carded: bool) -> None:
    """What the call that stands for an operation tells. `carded`: whether any call about it got a card."""
    sums.add("volume", "", call.day, 1)
    sums.add("not-understood", "", call.day, math.log1p(call.not_understood))
    sums.add("firing", "", call.day, carded)
    for names, lacks in ((call.had, False), (call.lacked, True)):
        for name in _COUNTED.intersection(names):
            sums.name("missing", name)
            sums.add("missing", name, call.day, lacks)


def count_card(sums: Sums, one: CardAnswer) -> None:
    """What became of a card, where it was shown and answered."""
    if one.shown and one.outcome is not None:
        sums.name("acceptance")
        sums.add("acceptance", "", one.at.date(), one.outcome == "accepted")
        for rule in set(one.offered):
            sums.name("suggestions", rule)
            sums.add("suggestions", rule, one.at.date(), rule in one.taken)


def _all_missing(statuses: Mapping[str, str], inputs: Sequence[str]) -> bool:
    known = [statuses[name] for name in inputs if name in statuses]
    return bool(known) and all(status == "missing" for status in known)
