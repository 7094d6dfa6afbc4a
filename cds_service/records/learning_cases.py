"""A tenant's joined operations as rows to learn from: what was known when each was ordered, and what came of it.

One row per operation whose outcome is known whole (follow_up/maturity.py). Of the patient there is a number and nothing
else; `operation` leads back to the record for whoever may read that. models_onnx/training/learning_file.py reads it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Engine, RowMapping, select

from cds_service.follow_up.maturity import Followed, happened, standing
from cds_service.follow_up.planned_operations import PlannedOperation, planned_operations
from cds_service.records import tables
from cds_service.records.asked_calls import asked_calls
from cds_service.records.outcome_changes import Statement, agreed
from cds_service.records.scores import AGE_BANDS
from models_onnx.learning_columns import CASE_COLUMNS, GROUP, INPUT, REQUIRED

COLUMNS = (*REQUIRED, f"{GROUP}sex", f"{GROUP}age_band")
# Modes in which nobody was shown a figure, and which hold of a patient and not of a user.
_WITHHELD = {"silent": "silent", "hold-out": "hold-out"}
_USED = frozenset({"used", "used-with-conversion"})


class CasesAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: an outcome, followed for `horizon_days` (None: until discharge), as known on day `as_of`.

    `inputs`: the features to write, each a column, empty where it was not used. `refused`: ids of patients of whom
    nothing may be learned. `courses`: by call what was recorded of its operation (CASE_COLUMNS); None: no such columns.
    """

    outcome: str
    horizon_days: int | None
    as_of: date
    lag_days: int
    since: datetime
    until: datetime
    inputs: tuple[str, ...]
    refused: frozenset[str] = frozenset()
    courses: Mapping[str, Mapping[str, str]] | None = None
    zone: ZoneInfo | None = None


class Cases(msgspec.Struct, frozen=True):
    """The rows, and how many operations there are besides, by why they are none."""

    rows: tuple[dict[str, Any], ...]
    left_out: dict[str, int]


class _CallKnown(msgspec.Struct, frozen=True):
    """One row of the record with its outcome, as far as it is known."""

    mode: str | None
    models: list[dict[str, Any]]
    inputs: dict[str, Any]
    outcome: Statement | None
    source: str


def learning_cases(engine: Engine, tenant_id: str, asked: CasesAsked) -> Cases:
    """Every operation of the tenant that may be learned from, oldest first."""
    calls = asked_calls(engine, tenant_id, since=asked.since, until=asked.until)
    with engine.connect() as connection:
        said = {row["id"]: _call(row) for row in connection.execute(_statement(tenant_id, asked)).mappings()}
    persons: dict[str, int] = {}
    left_out: Counter[str] = Counter()
    rows = []
    for of in planned_operations(calls, zone=asked.zone):
        patient = of.calls[0].patient_id
        person = persons.setdefault(patient or of.calls[0].evaluation_id, len(persons) + 1)
        why, row = _row(of, said, asked)
        if patient in asked.refused:
            why = "refused by the patient"
        if why:
            left_out[why] += 1
        else:
            row |= _course(of, asked)
            rows.append({"operation": of.last_before.evaluation_id, "person": person, "site": tenant_id, **row})
    return Cases(tuple(rows), dict(sorted(left_out.items())))


def of_no_patient(engine: Engine, tenant_id: str, ids: frozenset[str]) -> frozenset[str]:
    """Those of the ids that no patient of the tenant has on record, whenever asked about."""
    table = tables.evaluation.c
    of_tenant = select(table.patient_id).where(table.tenant_id == tenant_id, table.patient_id.is_not(None)).distinct()
    with engine.connect() as connection:
        return ids - set(connection.execute(of_tenant).scalars()) if ids else ids


def _row(of: PlannedOperation, said: Mapping[str, _CallKnown], asked: CasesAsked) -> tuple[str, dict[str, Any]]:
    """Why it is no case, else its columns."""
    own = [said[call.evaluation_id] for call in of.calls]
    stands = said[of.last_before.evaluation_id]
    known = [one.outcome for one in own if one.outcome is not None]
    outcome = agreed(known) if known else None
    followed = Followed(
        day=of.day,
        occurred=outcome.occurred if outcome else None,
        occurred_on=outcome.occurred_on if outcome else None,
        observed_through=outcome.observed_through if outcome else None,
        contradicted=bool(known) and outcome is None,
    )
    counts = standing(followed, horizon_days=asked.horizon_days, as_of=asked.as_of, lag_days=asked.lag_days)
    if counts != "counts":
        return counts, {}
    champion, probability = _champion(stands.models, asked.outcome)
    return "", {
        "day": of.day.isoformat(),
        "procedure_group": of.last_before.procedure_group,
        "withheld": _withheld(own),
        "permitted": 1,
        "source": " + ".join(sorted({one.source for one in own if one.source})),
        "outcome": asked.outcome,
        "occurred": int(happened(followed, horizon_days=asked.horizon_days)),
        "champion": champion,
        "champion_probability": probability,
        "group.sex": stands.inputs.get("sex", ""),
        "group.age_band": _age_band(stands.inputs.get("age")),
        **{INPUT + name: _text(stands.inputs.get(name)) for name in asked.inputs},
    }


def _course(of: PlannedOperation, asked: CasesAsked) -> Mapping[str, str]:
    """Of the one case of the operation; of two or none every column is empty."""
    if asked.courses is None:
        return {}
    found = [asked.courses[call.evaluation_id] for call in of.calls if call.evaluation_id in asked.courses]
    one = bool(found) and all(other == found[0] for other in found)
    return found[0] if one else dict.fromkeys(CASE_COLUMNS, "")


def _withheld(calls: Sequence[_CallKnown]) -> str:
    """Why nobody was shown a figure at any call of the operation; empty where somebody may have been."""
    modes = {_WITHHELD.get(one.mode or "", "") for one in calls}
    return "" if "" in modes else min(modes)


def _champion(models: Iterable[Mapping[str, Any]], outcome: str) -> tuple[str, float | str]:
    """The version that was told first of this outcome with what it said; both empty where none had a figure."""
    for told in models:
        in_force = "state" not in told and told["outcome"] == outcome
        if in_force and 0.0 < told.get("probability", 0.0) < 1.0:
            return f"{told['model']} {told['version']}", told["probability"]
    return "", ""


def _age_band(age: object) -> str:
    if not isinstance(age, int | float):
        return ""
    return next((name for below, name in AGE_BANDS if age < below), "")


def _text(value: object) -> str:
    """As a file has it: true and false in words, nothing for what is missing."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _statement(tenant_id: str, asked: CasesAsked) -> Any:
    table, said = tables.evaluation.c, tables.outcome.c
    of_this = (said.tenant_id == table.tenant_id) & (said.evaluation_id == table.id) & (said.outcome == asked.outcome)
    days = (said.occurred, said.occurred_on, said.observed_through, said.operated_on, said.source)
    return (
        select(table.id, table.mode, table.models, table.result, *days)
        .select_from(tables.evaluation.outerjoin(tables.outcome, of_this))
        .where(table.tenant_id == tenant_id, table.received_at >= asked.since, table.received_at < asked.until)
        .execution_options(yield_per=500)
    )


def _call(row: RowMapping) -> _CallKnown:
    is_known = row["occurred"] is not None
    known = Statement(**{name: row[name] for name in Statement.__struct_fields__}) if is_known else None
    return _CallKnown(row["mode"], msgspec.json.decode(row["models"]), _used(row["result"]), known, row["source"] or "")


def _used(result: str | None) -> dict[str, Any]:
    """What models were given: by name, without what was stale, rejected or conflicting."""
    told: Iterator[dict[str, Any]] = iter(() if result is None else msgspec.json.decode(result).get("inputs", ()))
    found = {one["name"]: one.get("value") for one in told if one.get("status") in _USED}
    return {name: value for name, value in found.items() if value is not None}
