"""After `on` the gate looks again: whatever changes of what was accepted, that tenant is answered as silent."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from cds_service.operations import metrics
from cds_service.records import recalibrations, switches, tables, validation_reports
from cds_service.records.rows import AdministrationEvent
from cds_service.records.switches import Switch, SwitchScope
from cds_service.validation import go_live, standing, told_models
from cds_service.web.app import MODELS, RECORDS, TENANTS
from models_onnx import registry
from models_onnx.added_model import AddedModels
from tests.acceptance.requests import a_request
from tests.cds_service.validation.conftest import opened, runs, validates
from tests.cds_service.validation.test_go_live import RECENT, SIGNED, a_tenant
from tests.conformance.conftest import SERVICE, a_token, an_app
from tests.models_onnx.test_recalibration import a_recalibration

SHOWN = {"card_floors": {"any-complication": 0.001, "30-day-death": 0.0001}}
NAME = "general-hospital"
UNREAD = {"mapping_report": "M-1", "approved_by": ["A", "B"], "date": "2026-11-20"}


class Live:
    """A hospital that was switched on by its report, in a folder that may be changed, and the worker that answers."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.members = folder, dict[str, Any](SHOWN)
        shutil.copytree(registry.PACKAGE, folder / "models", ignore=shutil.ignore_patterns("training", "*.py"))
        self.file(local_validation=None)
        done = validates(folder, folder / "out")
        assert done.exit_code == 0, done.output
        self.sha256 = done.output.rsplit("sha256: ", 1)[1].strip()
        self.file(local_validation={**SIGNED, "sha256": self.sha256})
        self.set_on()
        self.app: Flask = an_app(folder, tenants=folder / "tenants", models=folder / "models", workers=1)

    def file(self, **members: Any) -> None:
        self.members |= members
        a_tenant(self.folder, **self.members)

    def set_on(self) -> None:
        words = ("--by", "A. Jones", "--approved-by", "B. Smith", "--reason", "signed", "--force")
        done = runs(self.folder, "mode", "set", NAME, "on", *words)
        assert done.exit_code == 0, done.output

    def looks(self) -> None:
        """What the worker's threads do every few seconds."""
        self.records.switches._read()
        self.app.extensions[TENANTS].refresh()
        self.app.extensions[MODELS].refresh()
        self.app.extensions[MODELS].refresh_recalibrations()

    @property
    def records(self) -> Any:
        return self.app.extensions[RECORDS]

    def asked(self) -> tuple[bool, str | None]:
        """Whether a card came, and the reason of the row."""
        reply = self.app.test_client().post(SERVICE, json=a_request(), headers=a_token())
        assert reply.status_code == 200, reply.text
        assert self.records.flush(5)
        column = tables.evaluation.c
        with self.records.durable.connect() as connection:
            last = select(column.reason).where(column.patient_id == a_request()["context"]["patientId"])
            reason = connection.execute(last.order_by(column.received_at.desc()).limit(1)).scalar()
        return bool(reply.get_json()["cards"]), reason

    def outdated(self) -> dict[str, list[str]]:
        """What /ready tells of it."""
        told: dict[str, list[str]] = self.app.test_client().get("/ready").get_json().get("validationOutdated", {})
        return told


@pytest.fixture
def live(hospital: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    monkeypatch.setenv("CDS_MODELS", str(tmp_path / "live" / "models"))
    shutil.copytree(hospital, tmp_path / "live")
    made = Live(tmp_path / "live")
    yield made
    made.records.close()


def an_event(by: str = "A. Jones") -> AdministrationEvent:
    return AdministrationEvent(
        happened_at=datetime.now(UTC), action="recalibration", tenant_id=NAME, scope="", value="", done_by=by,
        reason="r", approved_by=None,
    )  # fmt: skip


def recalibrated(live: Live) -> None:
    (card,) = (one for one in registry.cards() if one.name == "elective-complication")
    fitted = a_recalibration(model=card.name, version=card.version, sha256=card.sha256, outcome=card.outcome)
    kept = recalibrations.propose(live.records.durable, NAME, fitted, an_event())
    recalibrations.approve(live.records.durable, NAME, card.name, kept.number, an_event("B. Smith"))


def demoted(live: Live) -> None:
    file = live.folder / "models" / "registry.yaml"
    text = file.read_text(encoding="utf-8")
    assert "{model: ariscat, version: 1.0.0, state: champion}" in text
    changed = text.replace(
        "{model: ariscat, version: 1.0.0, state: champion}", "{model: ariscat, version: 1.0.0, state: challenger}"
    )
    file.write_text(changed, encoding="utf-8")


def another_report(live: Live) -> None:
    assert validates(live.folder, live.folder / "again", "--seed", "2").exit_code == 0
    done = validates(live.folder, live.folder / "third", "--since", "2026-01-12")
    live.file(local_validation={**SIGNED, "sha256": done.output.rsplit("sha256: ", 1)[1].strip()})


def switched_by_hand(live: Live) -> None:
    """By somebody who may write to the database, for a hook: nothing was accepted with it."""
    scope = SwitchScope(NAME, hook="order-sign")
    switches.set_switch(live.records.durable, Switch("mode", scope, "on"), an_event())
    switches.set_switch(live.records.durable, Switch("mode", SwitchScope(NAME, "order-select"), "on"), an_event())


def edited(live: Live, statement: str) -> None:
    with opened(live.folder) as engine, engine.begin() as connection:
        assert connection.exec_driver_sql(statement).rowcount == 1
    live.records.marked.__self__._reports.clear()  # another worker, or this one after its next start


CHANGES: dict[str, tuple[Callable[[Live], Any], str]] = {
    "a recalibration is approved": (recalibrated, "has recalibration 1 now"),
    "a model is promoted or demoted": (demoted, "which answers no longer"),
    "a floor is moved": (lambda one: one.file(card_floors={"any-complication": 0.01}), "card_floors was "),
    "a warning is moved": (lambda one: one.file(warning={"common": 0.5}), "warning was rare 0.03, common 0.18"),
    "bands are moved": (lambda one: one.file(bands=[0.5, 2, 4]), "bands was 0.67, 1.5, 3"),
    "a rule is switched off": (lambda one: one.file(advice={"off": ["dietitian"]}), "advice was "),
    "lists are read otherwise": (
        lambda one: one.file(data={"unread_entries": "absent", "unread_approved": UNREAD}),
        "data.unread_entries was unknown",
    ),
    "units are read otherwise": (
        lambda one: one.file(data={"units": {"Gramm je Deziliter": "g/dL"}}),
        "data.units was ",
    ),
    "code systems are read otherwise": (
        lambda one: one.file(code_systems={"urn:oid:1.2.3": "icd-10"}),
        "code_systems was ",
    ),
    "somebody accepts the same words for another scope": (
        lambda one: edited(one, "update administration set value = 'canary' where action = 'go-live'"),
        "nothing says with what it was switched on",
    ),
    "a gate is stricter": (lambda one: one.file(validation={**RECENT, "auroc": 0.99}), "any-complication: AUROC"),
    "a window is asked that is younger": (lambda one: one.file(validation={}), "its window ended"),
    "another report is signed": (another_report, "it was switched on with report"),
    "no report is signed any more": (lambda one: one.file(local_validation=SIGNED), "names no sha256"),
    "the report is changed": (
        lambda one: edited(one, "update administration set reason = reason || ' ' where action = 'validation'"),
        "was changed after it was made",
    ),
    "the report is gone": (
        lambda one: edited(one, "delete from administration where action = 'validation'"),
        "the record holds no report",
    ),
    "a switch that nobody accepted": (switched_by_hand, "nothing says with what it was switched on"),
    "what was accepted is unreadable": (
        lambda one: edited(one, "update administration set reason = '{}' where action = 'go-live'"),
        "of a version that this one does not read",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_changes_of_what_was_accepted_the_tenant_is_silent_and_says_why(live: Live, what: str) -> None:
    assert live.asked() == (True, None)
    change, why = CHANGES[what]
    change(live)
    live.looks()
    assert live.asked() == (False, "validation-outdated")
    told = live.outdated()[NAME]
    assert any(why in one for one in told), told
    assert metrics.validation_outdated.labels(NAME)._value.get() == 1
    checked = runs(live.folder, "check", "--tenants", str(live.folder / "tenants")).output
    assert "answered as silent (validation-outdated)" in checked
    assert "FAIL" not in checked


def test_nothing_else_silences_it(live: Live) -> None:
    """The control: what is no part of what was accepted may change, and so may everything back again."""
    for change in (
        lambda: live.file(deadline_s=1.7),
        lambda: live.file(local_validation={**SIGNED, "sha256": live.sha256, "validity": "AUROC 0.72"}),
        lambda: runs(live.folder, "mode", "set", "general-hospital", "silent", "--hook", "order-sign", "--by", "A",
                     "--reason", "r", "--force"),
    ):  # fmt: skip
        change()
        live.looks()
        assert live.asked() == (True, None)
    assert live.outdated() == {}
    assert "as it was accepted" in runs(live.folder, "check").output


def test_what_is_taken_back_or_accepted_again_is_shown_again(live: Live) -> None:
    live.file(card_floors={"any-complication": 0.01})
    live.looks()
    assert live.asked() == (False, "validation-outdated")
    live.file(**SHOWN)
    live.looks()
    assert live.asked() == (True, None)
    live.file(card_floors={"any-complication": 0.01})
    live.looks()
    assert live.asked()[0] is False
    live.set_on()
    live.looks()
    assert live.asked() == (True, None)
    assert metrics.validation_outdated.labels(NAME)._value.get() == 0


def test_a_worker_that_starts_later_and_one_whose_window_grows_old_know_it(live: Live, monkeypatch: Any) -> None:
    live.file(card_floors={"any-complication": 0.01})
    later = an_app(live.folder, tenants=live.folder / "tenants", models=live.folder / "models", workers=1)
    assert NAME in later.test_client().get("/ready").get_json()["validationOutdated"]
    later.extensions[RECORDS].close()
    live.file(**SHOWN)
    live.looks()
    assert live.asked() == (True, None)
    stands = live.records.marked.__self__
    ends = datetime.now(UTC).date() + timedelta(days=3_651)
    monkeypatch.setattr(stands, "_today", lambda: ends)
    assert live.asked() == (False, "validation-outdated")


def test_a_report_that_nobody_can_ask_for_shows_nothing(live: Live, monkeypatch: Any) -> None:
    """The record is away when something has to be judged anew: neither silence nor a card, but a failure."""
    stands = live.records.marked.__self__
    stands._judged.clear(), stands._reports.clear()

    def away(*_: Any) -> None:
        raise OperationalError("select", {}, Exception("away"))

    monkeypatch.setattr(live.records.quick, "connect", away)
    reply = live.app.test_client().post(SERVICE, json=a_request(), headers=a_token())
    assert reply.status_code in (500, 503), reply.text


@pytest.mark.parametrize("signed", [True, False])
def test_a_file_that_itself_says_on_is_held_to_the_report_that_it_names(live: Live, signed: bool) -> None:
    """DEC-30 asks a file for report, person and day; a hash that stands there is looked at, and none is warned of."""
    runs(live.folder, "mode", "clear", NAME, "--by", "A", "--reason", "r", "--force")
    live.file(mode="on", local_validation={**SIGNED, **({"sha256": live.sha256} if signed else {})})
    live.looks()
    assert live.asked() == (True, None)
    recalibrated(live)
    live.looks()
    assert live.asked() == ((False, "validation-outdated") if signed else (True, None))
    checked = runs(live.folder, "check").output
    assert ("names no report by its sha256" in checked) == (not signed)


def test_a_model_of_the_site_that_no_report_covers_is_not_shown_with(live: Live) -> None:
    (tenant,) = (one.tenant for one in live.app.extensions[TENANTS].sites)
    models = live.app.extensions[MODELS].models

    class Card(msgspec.Struct):
        name: str = "bleeding"
        version: str = "1.0.0"
        challenger: bool = False
        validation: Any = None

    class Model(msgspec.Struct):
        card: Card
        sha256: str = "d" * 64

    named = msgspec.structs.replace(tenant, added_models=("bleeding",))

    def why(card: Card) -> tuple[str, ...]:
        told = told_models.told_to(named, models, AddedModels({"bleeding": Model(card)}), {})  # type: ignore[dict-item]
        find = partial(validation_reports.find, live.records.durable, NAME)
        return go_live.refusals(named, find, told=told, today=standing.utc_today())

    (told,) = why(Card())
    assert "bleeding 1.0.0, a model of this site, is told and no report covers it" in told
    assert why(Card(challenger=True)) == ()

    class Report(msgspec.Struct):
        sha256: str = "e" * 64

    assert why(Card(validation=Report())) == ()
