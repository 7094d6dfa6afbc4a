"""What a report found, in so few figures that they can stand in the record and be judged again; its hash names it."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Literal

import msgspec

from cds_service.measures.intervals import Figure
from cds_service.tenants.tenant_parts import ValidationGates


class ModelInForce(msgspec.Struct, frozen=True, order=True):
    """A graph that answers, and which recalibration of the hospital's moves its figures; 0: none.

    `fitted_since`, `fitted_through`: the first and the last day of the operations that it was fitted on.
    """

    model: str
    version: str
    sha256: str
    recalibration: int
    outcome: str = ""
    fitted_since: date | None = None
    fitted_through: date | None = None


class OutcomeEvidence(msgspec.Struct, frozen=True):
    """One outcome's figures; `n` to tens, and None where there are too few to be told.

    `first`, `last`: the Monday of the first week and the Sunday of the last with an operation that counts.
    `lost`: at most so great a share of those that would count was not followed through the horizon.
    """

    outcome: str
    n: int | None
    events: int | None
    auroc: Figure
    o_e: Figure
    slope: Figure
    first: date | None = None
    last: date | None = None
    lost: float | None = None


class GroupEvidence(msgspec.Struct, frozen=True):
    """Observed to expected of a group of people by that of all."""

    outcome: str
    dimension: str
    group: str
    ratio: Figure


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A report of one tenant and window; `report_sha256`: of the whole document."""

    kind: Literal["validation-2"] = "validation-2"
    tenant: str
    since: date
    until: date
    weeks: int
    lag_days: int
    mapped: float | None
    models: tuple[ModelInForce, ...]
    outcomes: tuple[OutcomeEvidence, ...]
    groups: tuple[GroupEvidence, ...]
    report_sha256: str


class GateVerdict(msgspec.Struct, frozen=True):
    """One gate: what it asks, what was found, and whether that passes; what could not be found never does."""

    name: str
    asked: str
    found: str
    passes: bool


def encoded(evidence: Evidence) -> bytes:
    """The evidence as it is kept: the same bytes for the same evidence."""
    return msgspec.json.encode(evidence)


def digest(kept: bytes) -> str:
    """What names it in the tenant's file."""
    return hashlib.sha256(kept).hexdigest()


def gates(evidence: Evidence, asked: ValidationGates) -> tuple[GateVerdict, ...]:
    """Every gate of the tenant's file, judged by what was found."""
    found = [
        _at_least("weeks with operations", asked.weeks, evidence.weeks),
        _at_least("days until an outcome is reported", asked.lag_days, evidence.lag_days),
        _at_least("orders in a procedure group", asked.mapped, evidence.mapped, percent=True),
    ]
    if not asked.events:
        found.append(GateVerdict("outcomes", "at least one outcome is validated", "the file names none", passes=False))
    known = {one.outcome: one for one in evidence.outcomes}
    for outcome, least in asked.events.items():
        found.extend(_of_outcome(outcome, known.get(outcome), least, asked))
        found.append(_on_others(outcome, known.get(outcome), evidence.models))
        found.extend(_of_groups(outcome, evidence, asked))
    return tuple(found)


def _of_outcome(
    outcome: str, of: OutcomeEvidence | None, least: int, asked: ValidationGates
) -> tuple[GateVerdict, ...]:
    none = Figure()
    return (
        _at_least(f"{outcome}: operations with a known outcome", asked.operations, of.n if of else None),
        _at_least(f"{outcome}: events", least, of.events if of else None),
        _at_most(f"{outcome}: followed through the horizon", asked.lost, of.lost if of else None),
        _between(f"{outcome}: observed to expected", asked.o_e, of.o_e if of else none),
        _between(f"{outcome}: calibration slope", asked.slope, of.slope if of else none),
        _at_least(f"{outcome}: AUROC", asked.auroc, of.auroc.value if of else None),
    )


def _on_others(outcome: str, of: OutcomeEvidence | None, models: tuple[ModelInForce, ...]) -> GateVerdict:
    """A recalibration agrees with the operations that it was fitted on, whatever the model is worth."""
    moved = [one for one in models if one.outcome == outcome and one.recalibration]
    same = [one for one in moved if of is None or overlaps_with(one, of.first, of.last)]
    told = "; ".join(
        f"{one.model} number {one.recalibration} was fitted on operations of {one.fitted_since} to {one.fitted_through}"
        for one in same or moved
    )
    days = "not known" if of is None or of.first is None else f"{of.first} to {of.last}"
    return GateVerdict(
        f"{outcome}: recalibrated on other operations than these",
        f"no recalibration was fitted in the weeks of these operations ({days})",
        told or "no recalibration",
        passes=not same,
    )


def overlaps_with(by: ModelInForce, first: date | None, last: date | None) -> bool:
    """Was it recalibrated on operations of these days? Days that are not known are taken to be the same."""
    if by.fitted_since is None or by.fitted_through is None or first is None or last is None:
        return by.recalibration > 0
    return by.fitted_since <= last and first <= by.fitted_through


def _of_groups(outcome: str, evidence: Evidence, asked: ValidationGates) -> tuple[GateVerdict, ...]:
    """Groups whose whole interval lies outside; no group that may be told at all is no passing."""
    low, high = asked.group_o_e
    told = [one for one in evidence.groups if one.outcome == outcome and one.ratio.low is not None]
    outside = [
        f"{one.group} ({one.dimension}) {written(one.ratio)}"
        for one in told
        if (one.ratio.high or 0.0) < low or (one.ratio.low or 0.0) > high
    ]
    found = "; ".join(outside) or (f"none of {len(told)} outside" if told else "no group is large enough to be told")
    words = f"no group wholly outside {low:g} to {high:g} times the whole"
    return (GateVerdict(f"{outcome}: groups of people", words, found, passes=bool(told) and not outside),)


def _at_least(name: str, least: float, found: float | None, *, percent: bool = False) -> GateVerdict:
    def words(number: float) -> str:
        return f"{100 * number:.1f} %" if percent else f"{number:.4g}"

    told = "not known, or too few to be told" if found is None else words(found)
    return GateVerdict(name, f"at least {words(least)}", told, passes=found is not None and found >= least)


def _at_most(name: str, most: float, found: float | None) -> GateVerdict:
    told = "not known, or too few to be told" if found is None else f"at most {100 * found:.1f} % lost"
    return GateVerdict(name, f"at most {100 * most:.1f} % lost", told, passes=found is not None and found <= most)


def _between(name: str, asked: tuple[float, float], found: Figure) -> GateVerdict:
    passes = found.value is not None and asked[0] <= found.value <= asked[1]
    return GateVerdict(name, f"{asked[0]:g} to {asked[1]:g}", written(found), passes=passes)


def written(figure: Figure) -> str:
    """A figure with its interval in three digits; words where there is none."""
    if figure.value is None:
        return "not known, or too few to be told"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.3g} (no interval)"
    return f"{figure.value:.3g} ({figure.low:.3g} to {figure.high:.3g})"
