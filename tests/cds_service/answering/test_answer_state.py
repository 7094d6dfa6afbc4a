"""Nothing outlives a switch: a request that comes again is answered anew once what its answer rests on changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from cds_service.answer import Knowledge
from cds_service.answering.answer_state import States
from cds_service.patient_data.fhir_client import FhirClient
from cds_service.records.switches import Switch, SwitchScope
from cds_service.tenant_runtime import TenantRuntime, open_tenant
from cds_service.tenants.tenant_files import demo_tenant
from models_onnx import registry
from models_onnx.recalibration import Recalibration
from tests.models_onnx.versions import a_folder_with_second_version

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def site() -> TenantRuntime:
    return open_tenant(demo_tenant("http://127.0.0.1:8000"))


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return Knowledge(registry.load(), FhirClient(threads=5))


def test_the_same_state_is_the_same_in_every_worker(site: TenantRuntime, knowledge: Knowledge) -> None:
    switches = (Switch("mode", SwitchScope("demo"), "on"),)
    other = msgspec.structs.replace(knowledge, recalibrations={})
    one, two = States().under(site, switches, knowledge, NOON), States().under(site, (*switches,), other, NOON)
    assert one == two == States().under(site, switches, Knowledge(registry.load(), knowledge.fhir), NOON)


def a_recalibration() -> Recalibration:
    return Recalibration(
        id="r", number=1, model="sort-2014", version="1.0.0", sha256="x", outcome="30-day-death", intercept=0.1,
        slope=1.0, covariance=(0.1, 0.0, 0.1), peer_shift=None, n=1000, events=20, first=NOON.date(), last=NOON.date(),
    )  # fmt: skip


CHANGES: dict[str, Callable[[TenantRuntime, Knowledge], bytes]] = {
    "mode off": lambda site, known: States().under(site, (Switch("mode", SwitchScope("demo"), "off"),), known, NOON),
    "kill": lambda site, known: States().under(site, (Switch("kill", SwitchScope("demo"), "killed"),), known, NOON),
    "recalibration": lambda site, known: States().under(
        site, (), msgspec.structs.replace(known, recalibrations={site.tenant.id: {"x": a_recalibration()}}), NOON
    ),
    "tenant file": lambda site, known: States().under(with_(site, card_floor=0.5), (), known, NOON),
    "retired": lambda site, known: States().under(with_(site, retired_on=NOON.date()), (), known, NOON),
}


def with_(site: TenantRuntime, **members: object) -> TenantRuntime:
    return msgspec.structs.replace(site, tenant=msgspec.structs.replace(site.tenant, **members))


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_another_state(change: str, site: TenantRuntime, knowledge: Knowledge) -> None:
    assert CHANGES[change](site, knowledge) != States().under(site, (), knowledge, NOON)


def test_a_change_is_seen_by_the_one_who_remembers_the_state(site: TenantRuntime, knowledge: Knowledge) -> None:
    states = States()
    before = states.under(site, (), knowledge, NOON)
    killed = states.under(site, (Switch("kill", SwitchScope(), "killed"),), knowledge, NOON)
    assert killed != before
    assert states.under(site, (), knowledge, NOON) == before


def test_the_day_of_retirement_is_another_state(site: TenantRuntime, knowledge: Knowledge) -> None:
    states, ends = States(), with_(site, retired_on=NOON.date())
    before = states.under(ends, (), knowledge, datetime(2026, 5, 30, tzinfo=UTC))
    assert states.under(ends, (), knowledge, NOON) != before


def test_other_models_are_another_state(site: TenantRuntime, knowledge: Knowledge, tmp_path: Path) -> None:
    folder = a_folder_with_second_version(tmp_path / "models")
    other = Knowledge(registry.load(folder), knowledge.fhir)
    assert States().under(site, (), other, NOON) != States().under(site, (), knowledge, NOON)
