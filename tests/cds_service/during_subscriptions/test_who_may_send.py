"""Who may send what a Subscription tells: whoever shows the secret of the tenant's source, or signs as its client."""

import json

import pytest

from tests.cds_service.during.hospitals import a_bundle, a_value
from tests.cds_service.during_subscriptions.sourced_hospital import SECRET, TENANT, VARIABLE, told, values
from tests.conformance.conftest import a_token

PATH = f"/during/{TENANT}/notifications"


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer wrong"}, {"Authorization": SECRET[:-1]}, {"X-Other": SECRET}],
    ids=["none", "wrong", "shorter", "in another header"],
)
def test_without_the_secret_nothing_is_read(hospital, headers):
    told(hospital, *values(1))
    assert hospital.send(hospital.server.notification(1), headers=headers).status_code == 401
    assert not hospital.kept()


def test_nor_where_nobody_has_to_prove_anything_else(make, monkeypatch):
    hospital = make()
    told(hospital, *values(1))
    monkeypatch.delenv(VARIABLE)
    assert hospital.send(hospital.server.notification(1)).status_code == 401
    assert hospital.send(hospital.server.notification(1), headers={"Authorization": "Bearer "}).status_code == 401


def test_a_client_of_the_tenant_may_send_too(hospital):
    told(hospital, *values(1))
    claims = {"iat": hospital.now.timestamp(), "exp": hospital.now.timestamp() + 300}
    answer = hospital.send(hospital.server.notification(1), headers=a_token(PATH, **claims))
    assert (answer.status_code, answer.json["kept"]) == (200, 1)


def test_the_secret_in_a_header_of_its_own_and_from_a_file(make, monkeypatch, tmp_path):
    file = tmp_path / "secret"
    file.write_text("from-a-file\n")
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv(f"{VARIABLE}_FILE", str(file))
    hospital = make(header="X-Subscription-Secret")
    for shown, status in (("from-a-file", 200), ("another", 401)):
        headers = {"X-Subscription-Secret": shown}
        assert hospital.send(hospital.server.handshake(), headers=headers).status_code == status


def test_another_tenants_subscription_is_refused(hospital):
    hospital.server.subscription = "of-another"
    assert hospital.send(hospital.server.handshake()).status_code == 403
    assert "of-another" not in hospital.positions.of_tenant(TENANT)


def test_a_tenant_that_names_no_source_or_reads_nothing_is_not_there(make, tmp_path):
    hospital = make(mode="off")
    there, nobody = hospital.send({}), hospital.app.test_client().post("/during/nobody/notifications", json={})
    assert (there.status_code, there.data) == (404, nobody.data)


@pytest.mark.parametrize("body", ["{}", "[", "null", json.dumps(a_bundle(a_value())), '{"resourceType":"Bundle"}'])
def test_what_is_no_notification_is_refused(hospital, body):
    headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/fhir+json"}
    assert hospital.app.test_client().post(PATH, data=body, headers=headers).status_code == 400


def test_no_log_holds_anything_of_a_patient(hospital, capfd, caplog):
    secretive = a_value(subject={"reference": "Patient/a-patient-of-ours"}, encounter={"reference": "Encounter/e-ours"})
    told(hospital, secretive, *values(2))
    hospital.send(hospital.server.notification(1))
    hospital.send(hospital.server.notification(3))
    hospital.send(hospital.server.notification(3), secret="wrong-secret-shown")
    hospital.server.is_down = True
    hospital.settled()
    written = capfd.readouterr()
    said = written.out + written.err + caplog.text
    for word in ("a-patient-of-ours", "e-ours", SECRET, "wrong-secret-shown", "o-8867-4"):
        assert word not in said


@pytest.mark.parametrize("held", ["", " ", "Bearer", "Bearer ", "Bearer \n"])
@pytest.mark.parametrize(
    "shown", [{}, {"Authorization": ""}, {"Authorization": "Bearer "}, {"Authorization": "Bearer"}]
)
def test_a_secret_that_is_empty_lets_nobody_in(hospital, monkeypatch, held, shown):
    """As where a template was filled with nothing."""
    monkeypatch.setenv(VARIABLE, held)
    assert hospital.send(hospital.server.handshake(), headers=shown).status_code == 401


@pytest.mark.parametrize("held", ["geheim-\u00fc\u00df", "Bearer a-secret", " a-secret\n"])
def test_the_right_secret_lets_in_however_it_was_written_down(hospital, monkeypatch, held):
    monkeypatch.setenv(VARIABLE, held)
    shown = held.strip().removeprefix("Bearer ").encode().decode("latin-1")
    answer = hospital.send(hospital.server.handshake(), headers={"Authorization": f"Bearer {shown}"})
    assert answer.status_code == 200
