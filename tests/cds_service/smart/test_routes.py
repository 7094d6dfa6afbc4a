"""The launch belongs to the tenant whose FHIR server it names; where two list the same one, each has its own URL."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from cds_service.smart import routes
from cds_service.web.app import create_app
from cds_service.web.settings import Settings
from tests.cds_service.trust import unhelpful
from tests.patience import tried_again

# Nobody listens there: what is refused before the sign-in differs from what is tried in vain.
SHARED = "http://127.0.0.1:9/r4"
OWN = "http://127.0.0.1:9/county-alone"
HOSPITAL = """
id: {name}
environment: dev
public_url: http://127.0.0.1:8000
fhir_base_urls: [{servers}]
mode: "on"
"""


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    folder: Path = tmp_path_factory.mktemp("two")
    tenants = folder / "tenants"
    tenants.mkdir()
    (tenants / "a.yaml").write_text(HOSPITAL.format(name="general", servers=SHARED))
    (tenants / "b.yaml").write_text(HOSPITAL.format(name="county", servers=f"{SHARED}, {OWN}"))
    app = create_app(Settings(tenants=tenants, database_url=f"sqlite:///{folder}/r.sqlite3", state_directory=folder))
    return app.test_client()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"/smart/launch?iss={SHARED}&launch=x", "Two hospitals list this FHIR server"),
        (f"/smart/launch/general?iss={SHARED}&launch=x", "sign-in service did not answer"),
        (f"/smart/launch/county?iss={SHARED}&launch=x", "sign-in service did not answer"),
        (f"/smart/launch?iss={OWN}&launch=x", "sign-in service did not answer"),
        (f"/smart/launch/general?iss={OWN}&launch=x", "No hospital here has listed"),
        (f"/smart/launch/nobody?iss={SHARED}&launch=x", "No hospital here has listed"),
        ("/smart/launch?iss=https://elsewhere.example.org&launch=x", "No hospital here has listed"),
    ],
)
def test_a_launch_finds_its_hospital_or_is_refused(http: FlaskClient, url: str, words: str) -> None:
    answer = http.get(url)
    assert answer.status_code == (502 if "did not answer" in words else 403)
    assert words in answer.text
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("query", ["", "?iss=x", "?launch=x"])
def test_the_launch_url_alone_opens_nothing(http: FlaskClient, query: str) -> None:
    assert http.get(f"/smart/launch{query}").status_code == 400


@pytest.mark.parametrize("query", ["", "?state=", "?code=c", "?code=c&state=guessed", "?error=access_denied&state=s"])
def test_a_callback_that_nobody_here_began_is_refused(http: FlaskClient, query: str) -> None:
    assert http.get(f"/smart/callback{query}").status_code == 400


def test_sign_ins_that_come_too_fast_wait_and_leave_calls_alone(tmp_path: Path) -> None:
    limits = "limits: {burst: 2, requests_per_s: 0.5}"
    (tmp_path / "a.yaml").write_text(HOSPITAL.format(name="general", servers=OWN) + limits)
    app = create_app(
        Settings(tenants=tmp_path, database_url=f"sqlite:///{tmp_path}/r.sqlite3", state_directory=tmp_path)
    )
    answers = [app.test_client().get(f"/smart/launch?iss={OWN}&launch=x") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [502, 502, 429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 2
    assert "Set-Cookie" not in answers[-1].headers
    assert app.test_client().post("/cds-services/surgical-risk", data=b"{}").status_code != 429


@pytest.mark.usefixtures("in_time")
@pytest.mark.parametrize("behaviour", unhelpful.EVERY, ids=lambda behaviour: behaviour.__name__)
@tried_again
def test_a_slow_ehr_ends_its_sign_ins_in_time_and_holds_few_threads(
    tmp_path: Path, behaviour: unhelpful.Behaviour
) -> None:
    with unhelpful.serving(behaviour) as ehr, ThreadPoolExecutor(20) as people:
        (tmp_path / "a.yaml").write_text(HOSPITAL.format(name="general", servers=ehr))
        app = create_app(
            Settings(tenants=tmp_path, database_url=f"sqlite:///{tmp_path}/r.sqlite3", state_directory=tmp_path)
        )

        def launch(_: int) -> tuple[int, float]:
            began = time.monotonic()
            return app.test_client().get(f"/smart/launch?iss={ehr}&launch=x").status_code, time.monotonic() - began

        answers = list(people.map(launch, range(20)))
    assert {status for status, _ in answers} <= {502, 429}
    assert max(seconds for _, seconds in answers) <= 2.5


@pytest.mark.parametrize("issuer", ["https://[", "http://[", "https://]", "☃", "//", "https://[::1", "http:///x"])
def test_an_issuer_that_is_no_url_is_refused(http: FlaskClient, issuer: str) -> None:
    assert http.get("/smart/launch", query_string={"iss": issuer, "launch": "x"}).status_code == 403


def test_the_log_names_hospitals_and_nobody_s_own_words(http: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(routes.logs, "note", lambda _event, tenant, **_: told.append(tenant))
    for who in ("general", "Doe-1950-01-01"):
        http.get(f"/smart/launch/{who}?iss={OWN}&launch=x")
    assert told == ["general", None]
