"""What was recorded of operations that have ended, by the call that stands for each: for outcomes and for learning.

What came of an operation, never an input of an estimate before it: the columns have a prefix of their own
(models_onnx/learning_columns.py), which no model reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cds_service.during import case_view, missed, mode_gate
from cds_service.during.case_view import CaseView
from cds_service.during.earlier_estimate import joined_operation
from cds_service.records.database import OpenRecord
from cds_service.records.during_cases import DuringCases, KeptCase
from cds_service.records.during_positions import DuringPositions
from cds_service.tenants.tenant import Tenant
from models_onnx.learning_columns import CASE_COLUMNS
from models_onnx.registry import Registry

Columns = Mapping[str, str]


def joined_cases(
    engine: OpenRecord, tenant: Tenant, load: Callable[[], Registry], now: datetime
) -> dict[str, Columns] | None:
    """By the id of the call the columns of its case; None where the tenant reads nothing of operations.

    Only of cases that have ended, of which nothing was refused and nothing may be missing, and that are one planned
    operation of the record (follow_up/case_operation.py). Of an operation that two cases could be there is none.
    Raises DatabaseError.
    """
    if not mode_gate.reads(tenant):
        return None
    found: dict[str, list[Columns]] = {}
    zone, cases, models = ZoneInfo(tenant.zone), DuringCases(engine), load()
    for case in cases.of_tenant(tenant.id, most=tenant.during.most_cases):
        for call, columns in _joined(case, cases, engine, (tenant, zone, models), now):
            found.setdefault(call, []).append(columns)
    return {call: columns[0] for call, columns in found.items() if len(columns) == 1}


def _joined(
    case: KeptCase, cases: DuringCases, engine: OpenRecord, of: tuple[Tenant, ZoneInfo, Registry], now: datetime
) -> Iterator[tuple[str, Columns]]:
    tenant, zone, models = of
    content = cases.content(case)
    times = case_view.times_of(content, zone, now)
    if not times.ended or times.start is None or content.refused:
        return
    if missed.words(tenant, DuringPositions(engine), missed.window_of(case, times, now), zone):
        return
    operation = joined_operation(case, times.start, zone, engine).operation
    if operation is not None:
        seen = case_view.view(case_view.entries_of(content), content, zone, now, models=models)
        for call in operation.calls:
            yield call.evaluation_id, case_columns(seen)


def case_columns(seen: CaseView) -> Columns:
    """The figures of a case that has ended; what could not be told is empty, and never 0."""
    score, loss = seen.apgar, seen.summary.blood_loss.found
    case = seen.course.case
    told: dict[str, float | None] = {
        "begun": None,
        "minutes": seen.summary.duration.found,
        "surgical_apgar": score.points if score is not None else None,
        "blood_loss_ml": loss,
    }
    for one in seen.summary.exposures:
        name = one.limit.name.replace("-", "_")
        told[f"{name}_minutes"], told[f"{name}_unseen_minutes"] = one.minutes, one.unseen
    texts = {name: "" if value is None else f"{value:.6g}" for name, value in told.items()}
    if case.start is not None:
        texts["begun"] = datetime.fromtimestamp(case.start, UTC).isoformat()
    return {column: texts[column.partition(".")[2]] for column in CASE_COLUMNS}
