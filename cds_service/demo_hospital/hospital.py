"""Forty weeks of the invented hospital, answered by the very functions that answer live, into a record of its own.

Every row is what the service would have kept at that instant; nothing is written past it. Outcomes go into a file, as
a hospital's own would: `cds-service record import-outcomes` reads it. What was drawn stands in truth.csv beside it.
"""

from __future__ import annotations

import csv
import shutil
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from cds_service.answering import calls as answered_calls
from cds_service.answering.calls import CallDesk
from cds_service.answering.models_in_force import ModelsInForce
from cds_service.demo_hospital import invented_feedback, invented_orders, invented_people
from cds_service.demo_hospital.invented_people import InventedPerson
from cds_service.patient_data.fhir_client import FhirClient
from cds_service.records.asked_calls import asked_calls
from cds_service.records.feedback import Sender
from cds_service.records.outcome_file import DAYS, REQUIRED
from cds_service.tenant_runtime import TenantRuntime
from cds_service.tenants.tenant import LocalValidation
from cds_service.trust.body import Received
from cds_service.trust.client_jwt import Caller
from cds_service.trust.errors import ServiceError
from cds_service.web import deployments
from cds_service.web.settings import Settings
from fhir_mappings.orders import order_codes

TENANT = "demo-hospital"
RECORD, OUTCOMES, TRUTH = "record.sqlite3", "outcomes.csv", "truth.csv"
ISSUER = "https://ehr.demo-hospital.example"
SERVICES = ("order-select", "order-sign")
_FLUSH_S = 30.0
_AT_ONCE = 200  # rows; the writer's queue takes more
# Production, for go-live is what it shows; it has no key that anybody holds, so nobody can call it.
_FILE = f"""# An invented hospital: every patient, order and outcome in it is made up (cds-service demo-hospital).
id: {TENANT}
environment: production
public_url: https://risk.demo-hospital.example
clients:
  - issuer: {ISSUER}
    jwks_url: {ISSUER}/jwks.json
fhir_base_urls: [https://fhir.demo-hospital.example/r4]
zone: UTC
mode: silent
order_maps: [order-codes.json]
"""
Progress = Callable[[int, int], None]


class Built(msgspec.Struct, frozen=True):
    """What the hospital's folder holds: operations, calls of them, answers to cards, and lines of outcomes."""

    operations: int
    calls: int
    feedback: int
    outcomes: int


def build(folder: Path, *, progress: Progress, until_week: int = invented_people.WEEKS) -> Built:
    """Write tenant file, record, outcomes and truth into the folder, which is new or empty.

    `until_week`: how many weeks of it, from the first. Raises FileExistsError, or OSError for what cannot be written.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError("it holds something already; name a new folder")
    tenants = folder / "tenants"
    tenants.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(order_codes.DEMONSTRATION, tenants / "order-codes.json")
    (tenants / f"{TENANT}.yaml").write_text(_FILE, encoding="utf-8")
    everybody = [one for one in invented_people.people() if one.week <= until_week]
    desk = _desk(folder)
    try:
        counted, answers = _answered(everybody, desk, progress)
        desk.records.flush(_FLUSH_S)
        outcomes = _outcomes(folder / OUTCOMES, everybody, desk)
    finally:
        desk.records.close()
    _truth(folder / TRUTH, everybody)
    return Built(len(everybody), counted, answers, outcomes)


def _desk(folder: Path) -> CallDesk:
    state = folder / "state"
    state.mkdir(exist_ok=True)
    settings = Settings(
        database_url=f"sqlite:///{folder / RECORD}", tenants=folder / "tenants", state_directory=state, workers=1
    )
    in_force = ModelsInForce(None, class_b=False, fhir=FhirClient(threads=5))
    return deployments.opened(settings, in_force, lambda: datetime.now(UTC), None).desk


def _answered(everybody: list[InventedPerson], desk: CallDesk, progress: Progress) -> tuple[int, int]:
    """Every call at its instant, in the order of time, and what was said to the cards: how many of both."""
    silent = desk.sites[TENANT]
    shown_from = invented_people.FIRST_DAY + timedelta(weeks=invented_people.SHOWN_FROM - 1)
    asked = sorted(
        ((at, number, body) for number, one in enumerate(everybody) for at, body in invented_orders.calls(one)),
        key=lambda call: call[:2],
    )
    desks = {False: desk, True: msgspec.structs.replace(desk, sites={TENANT: _showing(silent)})}
    feedback = 0
    for count, (at, number, body) in enumerate(asked, 1):
        under = desks[at.date() >= shown_from]
        response = _ask(under, at, body)
        items = invented_feedback.items(everybody[number], at, response)
        if items:
            sender = Sender(TENANT, ISSUER, str(body["hook"]))
            feedback += desk.records.store_feedback(items, sender, received_at=items[0].outcome_at)
        if count % _AT_ONCE == 0:
            desk.records.flush(_FLUSH_S)
            progress(count, len(asked))
    progress(len(asked), len(asked))
    return len(asked), feedback


def _showing(site: TenantRuntime) -> TenantRuntime:
    """The same hospital after its silent phase."""
    approved = LocalValidation(
        report="the first 28 weeks", approved_by="an invented clinician", date=invented_people.FIRST_DAY
    )
    return msgspec.structs.replace(
        site, tenant=msgspec.structs.replace(site.tenant, mode="on", local_validation=approved)
    )


def _ask(desk: CallDesk, at: datetime, body: dict[str, object]) -> bytes:
    """One call; one that is refused is recorded too, and answered with nothing here."""
    tenant = desk.sites[TENANT].tenant
    sent = Received(msgspec.json.encode(body), time.monotonic())
    try:
        taken = answered_calls.answer_call(
            sent, caller=Caller(tenant, ISSUER), desk=desk, received=at, hooks=("order-select", "order-sign")
        )
    except ServiceError:
        return b"{}"
    return taken.response


def _outcomes(file: Path, everybody: list[InventedPerson], desk: CallDesk) -> int:
    """What the hospital's registry says of each operation, by the first call about it; how many lines."""
    first: dict[str, str] = {}
    for call in asked_calls(desk.records.quick, TENANT):
        first.setdefault(str(call.patient_id), call.evaluation_id)
    lines = [line for one in everybody if one.id in first for line in _lines(one, first[one.id])]
    _write(file, (*REQUIRED, *DAYS), lines)
    return len(lines)


def _lines(person: InventedPerson, evaluation_id: str) -> Iterable[tuple[object, ...]]:
    truth = person.truth
    if truth.followed_days is None:
        return
    through = person.operated + timedelta(days=truth.followed_days)
    for outcome, days in truth.days_after.items():
        occurred = days is not None and days <= truth.followed_days
        on = person.operated + timedelta(days=days) if occurred and days is not None else None
        # As many registers do: it ends with the event, and says nothing of how far that person was followed.
        yield evaluation_id, outcome, "true" if occurred else "false", on or "", on or through, person.operated


def _truth(file: Path, everybody: list[InventedPerson]) -> None:
    names = [*everybody[0].truth.probability]
    columns = ("patient", "week", "group", *(f"{name}:{what}" for name in names for what in ("probability", "days")))
    _write(
        file,
        columns,
        [(one.id, one.week, one.group, *_drawn(one, names)) for one in everybody],
    )


def _drawn(person: InventedPerson, names: Iterable[str]) -> Iterable[object]:
    for name in names:
        yield person.truth.probability[name]
        yield person.truth.days_after[name]


def _write(file: Path, columns: Iterable[str], lines: Iterable[Iterable[object]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow([*columns])
        writer.writerows([["" if cell is None else cell for cell in line] for line in lines])
