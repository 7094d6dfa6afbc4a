"""A site's data come from its FHIR server patient by patient, and what was refused is told, not guessed."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

from cds_service.commands.cli import main
from cds_service.patient_data import site_export
from cds_service.patient_data.site_export import ExportError
from fhir_mappings.report.mapping_counts import MappingSite
from fhir_mappings.report.mapping_report import report
from tests.builders import AS_OF, ZONE, a_condition, a_medication_request, an_observation, an_order, coded
from tests.cds_service.patient_data.fhir_server import serving

IDS = ("p-1", "p-2", "p-3")
DATA = {
    "Condition": a_condition("E11.9"),
    "Observation": an_observation(coded(("urn:site", "CREA"))),
    "MedicationRequest": a_medication_request(
        medicationCodeableConcept=None, medicationReference={"reference": "Medication/m"}
    ),
    "ServiceRequest": an_order(("http://www.ama-assn.org/go/cpt", "27447")),
}
MEDICATION = {
    "resourceType": "Medication",
    "id": "m",
    "code": coded(("http://www.nlm.nih.gov/research/umls/rxnorm", "1364430")),
}


def bundle(*resources: dict[str, Any], following: str | None = None) -> dict[str, Any]:
    link = [{"relation": "next", "url": following}] if following else []
    return {"resourceType": "Bundle", "link": link, "entry": [{"resource": one} for one in resources]}


def a_site(path: str) -> tuple[int, Any]:
    """Three patients, two to a page; Procedures are refused; the second patient has nothing."""
    url = urlsplit(path.removeprefix("/fhir/"))
    asked = {name: values[0] for name, values in parse_qs(url.query).items()}
    kind, _, identifier = url.path.partition("/")
    if kind == "Medication":
        return 200, MEDICATION
    if kind == "Patient" and identifier:
        return 200, {"resourceType": "Patient", "id": identifier, "birthDate": "1950-01-01", "gender": "female"}
    if kind == "Patient":
        patients = [{"resourceType": "Patient", "id": one} for one in IDS]
        return 200, bundle(patients[2]) if "page" in asked else bundle(*patients[:2], following="Patient?page=2")
    if kind == "Procedure":
        return 403, {}
    if kind not in DATA or asked["patient"] == "p-2":
        return 200, bundle()
    return 200, bundle({**DATA[kind], "subject": {"reference": f"Patient/{asked['patient']}"}})


def test_every_patient_is_listed_page_after_page() -> None:
    with serving(a_site) as server:
        assert site_export.patient_ids(site_export.server(server.base, "lent")) == IDS
        assert site_export.patient_ids(site_export.server(server.base, None), at_most=1) == IDS[:1]
    assert {token for _, token in server.seen} == {"Bearer lent", None}


def test_each_patient_comes_with_what_was_found_in_their_order() -> None:
    with serving(a_site) as server:
        people = list(site_export.people(site_export.server(server.base, None), IDS))
    assert [person.id for person in people] == list(IDS)
    assert [len(person.results["conditions"].resources) for person in people] == [1, 0, 1]
    assert [len(person.results["medications"].resources) for person in people] == [2, 0, 2]
    assert [len(person.orders) for person in people] == [1, 0, 1]
    assert {person.results["procedures"].failure for person in people} == {"not-authorised"}


@pytest.mark.parametrize("kind", ["ServiceRequest", "Appointment"])
def test_orders_that_could_not_be_searched_are_told_and_not_taken_for_none(kind: str) -> None:
    with serving(lambda path: (403, {}) if f"/{kind}?" in path else a_site(path)) as server:
        found = report(site_export.people(site_export.server(server.base, None), IDS), MappingSite(AS_OF, ZONE))
    failed = {key for (key, why), _ in found.searches if why == "not-authorised"}
    assert failed == {"procedures", {"ServiceRequest": "orders", "Appointment": "appointments"}[kind]}


def test_a_server_that_refuses_everything_is_no_site_that_was_read(tmp_path: Any) -> None:
    listed = tmp_path / "ids.txt"
    listed.write_text("p-1")
    with serving(lambda _: (403, {})) as server:
        words = ["--html", str(tmp_path / "r.html"), "--csv", str(tmp_path / "r.csv"), "--patients", str(listed)]
        done = CliRunner().invoke(main, ["mapping-report", "--fhir", server.base, *words])
    assert done.exit_code == 1
    assert "Error: no patient could be read" in done.output


def test_a_server_that_lists_nobody_says_so() -> None:
    with serving(lambda _: (403, {})) as server, pytest.raises(ExportError, match="--patients"):
        site_export.patient_ids(site_export.server(server.base, None))


@pytest.mark.parametrize("url", ["ftp://x/y", "fhir.example", "https://user:secret@fhir.example/r4"])
def test_only_a_base_url_is_taken(url: str) -> None:
    with pytest.raises(ExportError):
        site_export.server(url, None)


def test_the_command_reads_a_server_and_keeps_the_token_off_the_command_line(tmp_path: Any) -> None:
    listed = tmp_path / "ids.txt"
    listed.write_text("p-1\nPatient/p-3\n\n")
    words = ["--html", str(tmp_path / "r.html"), "--csv", str(tmp_path / "r.csv"), "--as-of", "2026-11-20T09:00:00Z"]
    with serving(a_site) as server:
        command = ["mapping-report", "--fhir", server.base, *words]
        every = CliRunner().invoke(main, command, env={"FHIR_TOKEN": "lent"})
        two = CliRunner().invoke(main, [*command, "--patients", str(listed)], env={"FHIR_TOKEN": "lent"})
    assert "3 patients read, 0 unreadable" in every.output
    assert "2 patients read, 0 unreadable" in two.output
    assert {token for _, token in server.seen} == {"Bearer lent"}
    table, page = (tmp_path / "r.csv").read_text(), (tmp_path / "r.html").read_text()
    assert "unmapped,observations,urn:site,CREA,2,2" in table
    assert "orders,unmapped-procedure,http://www.ama-assn.org/go/cpt,27447,2" in table
    assert "searches,procedures,not-authorised,,2" in table
    assert "present,anticoagulant,,,2" in table
    assert "Map orders, the most frequent first: 27447 (2)" in page
    assert not any(one in page + table for one in IDS)


def test_a_folder_and_a_server_together_are_refused(tmp_path: Any) -> None:
    assert CliRunner().invoke(main, ["mapping-report"]).exit_code == 2
    assert CliRunner().invoke(main, ["mapping-report", str(tmp_path), "--fhir", "http://x/fhir"]).exit_code == 2
