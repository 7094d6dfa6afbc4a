"""The validation report as one document: every count and figure that its page and tables are written from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from cds_service.measures.intervals import Figure
from cds_service.tenants import speaking
from cds_service.validation import (
    ablation,
    collected,
    group_tables,
    missing_inputs,
    outcome_figures,
    threshold_counts,
    told_counts,
    volume,
)
from cds_service.validation.ablation import Ablation
from cds_service.validation.collected import Collected, ValidatedOperation, Window
from cds_service.validation.evidence import Evidence, GroupEvidence, ModelInForce, OutcomeEvidence
from cds_service.validation.group_tables import GroupTable
from cds_service.validation.missing_inputs import InputKnown, ListUnderstood
from cds_service.validation.outcome_figures import FiguresAsked, OutcomeFigures
from cds_service.validation.threshold_counts import SpeechLimits, ThresholdCounts
from cds_service.validation.told_counts import CountTable
from cds_service.validation.volume import CallCounter, Volume
from models_onnx.recalibration import BySha256
from models_onnx.registry import Registry

NO_BAND = "no band"


class ValidationReport(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant, one window. `repeated`: calls about an operation beyond its first. `weeks`: with an operation."""

    tenant: str
    since: str
    until: str
    as_of: str
    lag_days: int
    made_at: str
    weeks: int
    models: tuple[ModelInForce, ...]
    volume: Volume
    operations: int
    repeated: int
    bands: CountTable
    thresholds: ThresholdCounts
    inputs: tuple[InputKnown, ...]
    lists: tuple[ListUnderstood, ...]
    outcomes: tuple[OutcomeFigures, ...]
    ablations: tuple[Ablation, ...]
    groups: tuple[GroupTable, ...]


class ReportAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is made of: whose, when, and what is in force there now."""

    tenant: str
    window: Window
    zone: ZoneInfo
    limits: SpeechLimits
    models: Registry
    recalibrations: BySha256
    cohorts: Mapping[str, Mapping[str, str]] = {}


def make(engine: Any, asked: ReportAsked) -> tuple[ValidationReport, tuple[ValidatedOperation, ...]]:
    """The report, and the operations that it was made from."""
    counter = CallCounter(asked.zone)
    found = collected.collect(
        engine, asked.tenant, asked.window, zone=asked.zone, count=counter.add, cohorts=asked.cohorts
    )
    return _report(found, counter.counted(), asked), found.operations


def _report(found: Collected, counted: Volume, asked: ReportAsked) -> ValidationReport:
    operations = found.operations
    figures = FiguresAsked(
        asked.window,
        frozenset(one.sha256 for one in models_in_force(asked.models, asked.recalibrations)),
        asked.recalibrations,
        asked.limits.floors,
    )
    outcomes = [name for name in speaking.CARD_FLOORS if any(name in one.told for one in operations)]
    cases = {name: outcome_figures.cases_of(name, operations, figures)[0] for name in outcomes}
    bands = {name: 0 for one in operations if (name := one.band or NO_BAND)}
    for one in operations:
        bands[one.band or NO_BAND] += 1
    weeks = len({volume.week_of(one.asked_at) for one in operations})
    told = [(volume.week_of(one.asked_at), one.speech) for one in operations if one.predictions]
    return ValidationReport(
        tenant=asked.tenant,
        since=asked.window.since.date().isoformat(),
        until=asked.window.until.date().isoformat(),
        as_of=asked.window.as_of.isoformat(),
        lag_days=asked.window.lag_days,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        weeks=weeks,
        models=models_in_force(asked.models, asked.recalibrations),
        volume=counted,
        operations=len(operations),
        repeated=sum(one.calls - 1 for one in operations),
        bands=told_counts.table(bands),
        thresholds=threshold_counts.counted(told, asked.limits, weeks=weeks),
        inputs=missing_inputs.inputs(operations, _inputs(asked.models)),
        lists=missing_inputs.lists(operations),
        outcomes=tuple(outcome_figures.figures(name, operations, figures) for name in outcomes),
        ablations=ablation.ablations(cases, asked.models),
        groups=group_tables.tables(operations, cases),
    )


def _inputs(models: Registry) -> tuple[str, ...]:
    """Every input of a model that tells a probability."""
    cards = (card for card in models.cards if card.kind == "probability")
    return tuple(dict.fromkeys(entry.name for card in cards for entry in card.inputs))


def models_in_force(models: Registry, recalibrations: BySha256) -> tuple[ModelInForce, ...]:
    """The champions that tell a probability, each with the recalibration that moves it."""
    found = []
    for card in models.cards:
        if card.kind == "probability" and models.states.get((card.name, card.version)) == "champion":
            by = recalibrations.get(card.sha256)
            days = (by.first, by.last) if by is not None else (None, None)
            number = by.number if by is not None else 0
            found.append(ModelInForce(card.name, card.version, card.sha256, number, card.outcome, *days))
    return tuple(sorted(found))


def document(report: ValidationReport) -> bytes:
    """The whole report as JSON: what page and tables tell, and no number by which what they hide could be found."""
    return msgspec.json.format(msgspec.json.encode(_as_told(msgspec.to_builtins(report))), indent=1)


def _as_told(value: Any, name: str = "") -> Any:
    """Figures in three digits; how many people stand in a group of risk, or behind a share, is not told."""
    if isinstance(value, float):
        return value if name == "threshold" else float(f"{value:.3g}")
    if isinstance(value, list | tuple):
        return [_as_told(one, name) for one in value]
    if isinstance(value, dict):
        untold = ("n", "events") if {"predicted", "observed"} <= value.keys() or "sensitivity" in value else ()
        return {key: _as_told(one, key) for key, one in value.items() if key not in untold}
    return value


def evidence_of(report: ValidationReport) -> Evidence:
    """What is kept of it in the record."""
    whole = {one.outcome: one.o_e.value for one in report.outcomes}
    return Evidence(
        tenant=report.tenant,
        since=datetime.fromisoformat(report.since).date(),
        until=datetime.fromisoformat(report.until).date(),
        weeks=report.weeks,
        lag_days=report.lag_days,
        mapped=report.volume.share_mapped,
        models=report.models,
        outcomes=tuple(
            OutcomeEvidence(
                one.outcome, one.n, one.events, one.auroc, one.o_e, one.slope, one.first, one.last, one.lost
            )
            for one in report.outcomes
        ),
        groups=tuple(
            GroupEvidence(of.outcome, table.dimension, one.name, _beside(one.o_e, whole[of.outcome]))
            for table in report.groups
            for of in table.outcomes
            for one in of.groups
            if one.o_e.value is not None
        ),
        report_sha256=hashlib.sha256(document(report)).hexdigest(),
    )


def _beside(one: Figure, whole: float | None) -> Figure:
    if not whole or one.value is None or one.low is None or one.high is None:
        return Figure()
    return Figure(one.value / whole, one.low / whole, one.high / whole)
