"""The estimate that was made before an operation, for its page: beside what was recorded of it, never one with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from cds_service.follow_up import case_operation
from cds_service.follow_up.case_operation import JoinedOperation
from cds_service.pages import result, risk_assessments
from cds_service.pages.result import RiskRow
from cds_service.pages.words import plain
from cds_service.records.database import DatabaseError, OpenRecord
from cds_service.records.during_cases import KeptCase
from cds_service.records.earlier_calls import earlier_calls
from cds_service.records.recent_cases import recent_cases
from cds_service.records.records import Records
from cds_service.records.rows import EvaluationRow
from cds_service.tenant_runtime import TenantRuntime
from fhir_mappings.during.case_times import case_times
from fhir_mappings.during.filing import newest_times

# Why no estimate stands there. What was withheld is told as what never was (R-E01).
WHY = {
    "none": "No estimate on record belongs to this operation by patient and day.",
    "several": "Estimates of several planned operations are on record, and nothing says which of them this was.",
    "unknown": "Whether an estimate was made before cannot be told now.",
}


class EarlierEstimate(msgspec.Struct, frozen=True):
    """What was estimated, when and for which operation; or in words why there is nothing."""

    why: str = ""
    as_of: str = ""
    group: str = ""
    risks: tuple[RiskRow, ...] = ()


def earlier_estimate(case: KeptCase, begun: float, site: TenantRuntime, records: Records) -> EarlierEstimate:
    """Of a case that has ended; from the last call before it, where that may be told by any door now."""
    try:
        joined = joined_operation(case, begun, site.zone, records.quick)
        row = None if joined.operation is None else records.evaluation(joined.operation.last_before.evaluation_id)
    except DatabaseError:
        return EarlierEstimate(WHY["unknown"])
    if row is None or row.result is None or risk_assessments.is_shut(row, site, records):
        return EarlierEstimate(WHY["several" if joined.why == "several" else "none"])
    return _told(row, site.zone)


def joined_operation(case: KeptCase, begun: float, zone: ZoneInfo, engine: OpenRecord) -> JoinedOperation:
    """The planned operation of the record that the case was. Raises DatabaseError."""
    started = datetime.fromtimestamp(begun, UTC)
    since = started - case_operation.LOOK_BACK
    key = case.key
    calls = earlier_calls(engine, key.tenant_id, key.patient_id, since=since, until=started, zone=zone)
    if not calls.whole:
        return JoinedOperation(why="several")
    others = tuple(_starts(case, since, zone, engine))
    return case_operation.case_operation(
        calls.asked, calls.planned_on, started=started, zone=zone, others=others, unknown=calls.unknown
    )


def _starts(case: KeptCase, since: datetime, zone: ZoneInfo, engine: OpenRecord) -> Iterator[datetime]:
    """When the other cases of the patient began, as far as it is recorded; else when something last came of them."""
    for one in recent_cases(engine, case.key.tenant_id, case.key.patient_id, since=since):
        if one.id != case.id:
            start = case_times(newest_times(one.times, zone), zone, one.last_at.timestamp()).start
            yield one.last_at if start is None else datetime.fromtimestamp(start, UTC)


def _told(row: EvaluationRow, zone: ZoneInfo) -> EarlierEstimate:
    shown = result.result_rows(row.result or {}, zone)
    return EarlierEstimate("", shown.as_of, plain(row.procedure_group or ""), shown.told)
