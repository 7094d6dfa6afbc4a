"""Which options may be offered to this patient's clinician, and in which order (docs/suggestions.md, DEC-33)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

import msgspec

from cds_service.advice import feature_text
from cds_service.advice.catalogue import GRADES, THREATS, Catalogue, Grade, Row
from cds_service.advice.facts import Facts
from cds_service.advice.operation_attributes import Attribute
from cds_service.advice.triggers import Holds, Test, evaluate, for_operation, test_of
from fhir_mappings.orders.order_catalogue import is_requested
from fhir_mappings.orders.order_codes import OrderCodes
from fhir_mappings.results.feature import Feature

# How soon an option can be acted on: a plan at once, a test by one order; a screen takes somebody's time.
_FEASIBILITY = {"plan": 1.4, "test": 1.2, "referral": 1.0, "conversation": 1.0, "screen": 0.7}
_STEP = 8.0  # above (1 + 2.4 log-odds) * 1.4 / 0.7 for any reason that the models know
# What nobody can change is told as a reason, and gives an option no weight.
_UNCHANGEABLE = frozenset({"age", "sex"})


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to consider, and why. `order` names what can be drafted; `could_change_estimate`: DEC-33.

    `caution`: what may mislead here. `unchecked`: whether it is pending in the chart could not be searched for
    (never-suggest 8). `weight` ranks options of the same kind, the greatest first. `parts`: the options that this one
    holds together (blood_draw.py).
    """

    id: str
    consider: str
    reason: str
    evidence: str = ""
    caution: str = ""
    unchecked: bool = False
    order: str | None = None
    could_change_estimate: bool = False
    weight: float = 0.0
    parts: tuple[Option, ...] = ()


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What a tenant has chosen: rows off, opt-in rows on, limits by name, and how many options a card may have.

    `one_draw`: blood tests that hold at once are one option.
    """

    off: frozenset[str] = frozenset()
    opt_in: frozenset[str] = frozenset()
    settings: Mapping[str, float] = msgspec.field(
        default_factory=lambda: {"hba1c_percent": 8.0, "hba1c_percent_spine": 8.0}
    )
    maximum: int = 3
    one_draw: bool = True


class Ranked(msgspec.Struct, frozen=True):
    """A row that holds, before it is put into words.

    `personal`: it rests on more than age and sex. `order`: what can be drafted for it, unless another option drafts it.
    """

    row: Row
    holds: Holds
    grade: Grade
    weight: float
    personal: bool
    order: str | None


def ranked(
    catalogue: Catalogue,
    facts: Facts,
    *,
    policy: Policy,
    codes: OrderCodes,
    contributions: Mapping[str, float],
    told_inputs: Collection[str] = (),
) -> list[Ranked]:
    """The rows that hold: first what can be acted on, then by evidence, threat, what the reason adds, effort.

    `contributions`: log-odds of the headline by input. A row that asks for an input of a told model is left to the
    value of information (`told_inputs`).
    """
    left, settings = frozenset(told_inputs), policy.settings
    found = [
        _ranked(row, holds, facts, contributions)
        for row, test, unless in _tests(catalogue, facts.operation)
        if (holds := test(facts, settings)) is not None  # first: of most rows it decides
        and left.isdisjoint(holds.not_done)
        and _may_be_offered(row, holds, facts, policy, codes)
        and (unless is None or unless(facts, settings) is None)
    ]
    found.sort(key=_place)
    return found


def _ranked(row: Row, holds: Holds, facts: Facts, contributions: Mapping[str, float]) -> Ranked:
    grade, order = row.proof(facts.operation).grade, row.orders[0] if row.orders else None
    weight = _weight(row, grade, holds.features, contributions)
    return Ranked(row, holds, grade, weight, not _rests_on_age_alone(holds), order)


def _place(one: Ranked) -> tuple[bool, bool, int, int, float]:
    """Of equal evidence what threatens the heart comes before bleeding, and that before all else."""
    row = one.row
    return not row.acts, not one.personal, GRADES.index(one.grade), THREATS.index(row.threat), -one.weight


def worded_option(one: Ranked, facts: Facts, *, policy: Policy, today: datetime) -> Option:
    """The row in words for this patient."""
    row = one.row
    return Option(
        id=row.id,
        consider=row.consider,
        reason=_reason(row, one.holds, today),
        evidence=row.proof(facts.operation).evidence,
        caution=_caution(row, facts, policy, today),
        unchecked=facts.orders_unchecked and bool(row.unless_requested),
        order=one.order,
        weight=one.weight,
    )


@lru_cache(maxsize=512)  # a catalogue is read from its files once, and is like no other; 7 % of the main job
def _tests(catalogue: Catalogue, operation: frozenset[Attribute]) -> tuple[tuple[Row, Test, Test | None], ...]:
    """The rows that an operation of this kind allows, each with what is left to ask, and when it is not offered."""
    tests = ((row, for_operation(row.trigger, operation)) for row in catalogue.rows)
    return tuple(
        (row, test, test_of(row.unless) if row.unless is not None else None) for row, test in tests if test is not None
    )


def _may_be_offered(row: Row, holds: Holds, facts: Facts, policy: Policy, codes: OrderCodes) -> bool:
    """Whether no rule forbids a row whose trigger holds."""
    too_late = facts.days_to_surgery is not None and facts.days_to_surgery < row.lead_days
    if too_late or row.id in policy.off or (row.opt_in and row.id not in policy.opt_in):
        return False
    if any(is_requested(name, facts.requested, codes) for name in row.unless_requested):
        return False
    return not (row.treats and any("unit-assumed" in feature.flags for feature in holds.features))


def _caution(row: Row, facts: Facts, policy: Policy, today: datetime) -> str:
    """What is told beside the option because of another fact: "HbA1c can mislead here: ..."."""
    told = []
    for caution in row.cautions:
        if (holds := evaluate(caution.when, facts, policy.settings)) is not None:
            told.append(f"{caution.say}: {'; '.join(_named(holds, today))}.")
    return " ".join(told)


def _reason(row: Row, holds: Holds, today: datetime) -> str:
    """What the option rests on: values with their day first (A-08), then what was searched for and not found."""
    named = _named(holds, today)
    if row.because and (holds.not_done or not named or row.trigger_is_dated):
        named.append(row.because)
    return "; ".join(dict.fromkeys(named))


def _named(holds: Holds, today: datetime) -> list[str]:
    return [
        *(feature_text.feature(feature, today) for feature in holds.features),
        *(feature_text.diagnosis(name) for name in holds.diagnoses),
        *(feature_text.medicine(name) for name in holds.medicines),
        *(feature_text.procedure(name, when, today) for name, when in holds.performed),
    ]


def _weight(row: Row, grade: Grade, reasons: Sequence[Feature], contributions: Mapping[str, float]) -> float:
    """Strength of evidence, times what its reason adds to the headline's log-odds, times feasibility (A-05).

    A step of evidence counts for more than the other two together can: unstable angina sends to cardiology before it
    asks for an ECG (DEC-33: by evidence and feasibility).
    """
    strength = _STEP ** (len(GRADES) - GRADES.index(grade))
    changeable = [feature.name for feature in reasons if feature.name not in _UNCHANGEABLE]
    adds = max((contributions.get(name, 0.0) for name in changeable), default=0.0)
    return strength * (1.0 + max(adds, 0.0)) * _FEASIBILITY[row.kind]


def _rests_on_age_alone(holds: Holds) -> bool:
    named = {feature.name for feature in holds.features}
    others = holds.diagnoses or holds.medicines or holds.performed
    return bool(named) and named <= _UNCHANGEABLE and not others
