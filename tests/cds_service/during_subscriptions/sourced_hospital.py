"""A hospital that a server tells of its operations, with a clock that a test moves."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask

from cds_service.during_subscriptions.recovery import Recovery
from cds_service.records.during_cases import DuringCases
from cds_service.records.during_positions import DuringPositions
from cds_service.web.app import RECORDS, RECOVERY, create_app
from cds_service.web.settings import Settings
from tests.cds_service.during.hospitals import SESSION_KEY, Resource, a_value
from tests.cds_service.during_subscriptions.backport_server import BackportServer
from tests.conformance.conftest import a_tenant_file, a_token
from tests.fhir_mappings.during.observed import BEGIN

SECRET = "a-secret-that-the-server-shows"
TENANT = "general-hospital"
VARIABLE = "SUBSCRIPTION_SECRET"


class SourcedHospital:
    """The application, its clock, and what a server sends to it."""

    def __init__(self, folder: Path, server: BackportServer, *, mode: str = "live", **members: Any) -> None:
        self.now = BEGIN
        self.server = server
        server.clock = lambda: self.now
        poll = members.pop("poll", None)
        source = {"base_url": server.base, "subscriptions": ["vitals"], "header_variable": VARIABLE} | members
        during = {"mode": mode, "source": source} | ({"poll": poll} if poll else {})
        tenants = a_tenant_file(
            folder / "tenants", environment="dev", during=during, fhir_base_urls=[server.base], fetch_budget_s=10.0
        )
        database = f"sqlite:///{folder}/record.sqlite3"
        settings = Settings(database_url=database, state_directory=folder, tenants=tenants, session_key=SESSION_KEY)
        self.app: Flask = create_app(settings, clock=lambda: self.now)
        self.recovery: Recovery = self.app.extensions[RECOVERY]
        self.cases: DuringCases = self.app.extensions[RECORDS].during_cases
        self.positions: DuringPositions = self.app.extensions[RECORDS].during_positions

    def send(self, bundle: Any, *, path: str = "notifications", secret: str | None = SECRET, **options: Any) -> Any:
        """As the server sends it."""
        headers = options.pop("headers", {"Authorization": f"Bearer {secret}"} if secret is not None else {})
        http = self.app.test_client()
        return http.open(f"/during/{TENANT}/{path}", method=options.pop("method", "POST"), json=bundle, headers=headers)

    def later(self, seconds: float) -> None:
        """Time goes by, and every worker looks whether anything is due."""
        self.now += timedelta(seconds=seconds)
        self.recovery.turn()

    def settled(self) -> None:
        """As many turns as it may take, a minute between them."""
        for _ in range(8):
            self.later(61)

    def kept(self) -> set[str]:
        """The Observations of every case, as they were read."""
        found = [self.cases.content(case) for case in self.cases.of_tenant(TENANT)]
        return {body for content in found for body in content.observations}

    def page(self) -> str:
        """The page of the one case that has an encounter; what was told a second ago would be told again."""
        self.now += timedelta(seconds=2)
        (case,) = [one for one in self.cases.of_tenant(TENANT) if one.key.encounter_id]
        answer = self.app.test_client().get(f"/during/{TENANT}/{case.id}", headers=a_token())
        assert answer.status_code == 200
        return str(answer.text)


def told(hospital: SourcedHospital, *resources: Resource) -> list[int]:
    """The server writes them, and tells nobody yet."""
    return [hospital.server.write(one) for one in resources]


def values(count: int, start: int = 0) -> list[Resource]:
    """Heart rates, one every 10 s."""
    return [a_value(value=70 + number % 9, seconds=10.0 * number) for number in range(start, start + count)]
