"""`cds-service codes`: a map made of a site's own orders loads once it is filled in; unmapped codes are listed."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cds_service.commands.cli import main
from cds_service.records import database, migrate, writer
from cds_service.records.rows import EvaluationRow
from fhir_mappings.terminology import concept_maps
from fhir_mappings.terminology.code_systems import CONCEPT, CPT, ICD_10_PCS, LOINC, SNOMED_CT
from fhir_mappings.terminology.concept_maps import ConceptMapError, vocabulary
from fhir_mappings.terminology.procedure_groups import GROUPS
from fhir_mappings.terminology.value_sets import STANDARD

NAME = "Smith"


def an_order(*codings: tuple[str, str], kind: str = "ServiceRequest", **members: Any) -> dict[str, Any]:
    coding = [{"system": system, "code": code, "display": f"words for {code}"} for system, code in codings]
    subject = {"reference": f"Patient/{NAME}", "display": NAME}
    return {"resourceType": kind, "status": "active", "code": {"coding": coding}, "subject": subject} | members


ORDERS = [
    *[an_order((CPT, "29999"))] * 3,
    *[an_order((CPT, "29998"), ("urn:site", "OP 7"))] * 5,
    an_order((CPT, "29999"), kind="Procedure", status="completed"),
    an_order((LOINC, "718-7")),  # no operation
    an_order((ICD_10_PCS, "B020ZZZ")),  # imaging
    an_order(code={"text": f"Fusion for {NAME}"}),
    {"resourceType": "Patient", "id": NAME},
]


def a_file(path: Path, *resources: dict[str, Any] | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in resources))
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["codes", *map(str, arguments)])


def rows(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (group["source"], element["code"], element["target"][0]["comment"])
        for group in document["group"]
        for element in group["element"]
    ]


def test_a_template_names_each_unknown_code_the_most_frequent_first(tmp_path: Path) -> None:
    told = run("template", a_file(tmp_path / "orders.ndjson", *ORDERS))
    assert told.exit_code == 0
    assert rows(json.loads(told.stdout)) == [
        (CPT, "29998", "5 orders"), (CPT, "29999", "4 orders"), ("urn:site", "OP 7", "5 orders")
    ]  # fmt: skip
    assert (
        "12 orders and procedures: 0 understood, 2 no operations, 9 to map by 3 codes, 1 without a code" in told.stderr
    )


def test_a_template_holds_no_display_unless_it_is_asked_for_and_never_a_patient(tmp_path: Path) -> None:
    path = a_file(tmp_path / "orders.ndjson", *ORDERS)
    assert "display" not in run("template", path).stdout
    asked = run("template", path, "--with-displays")
    assert json.loads(asked.stdout)["group"][0]["element"][0]["display"] == "words for 29998"
    assert NAME not in asked.output


def filled(document: dict[str, Any], path: Path) -> Path:
    """The template as a person fills it in: each code a procedure group, every second one none of them."""
    document["contact"][0]["name"] = "Dr. Approver"
    elements = [element for group in document["group"] for element in group["element"]]
    for number, element in enumerate(elements):
        target = element["target"][0]
        target.update({"code": list(GROUPS)[number]} if number % 2 == 0 else {"equivalence": "unmatched"})
    return a_file(path, document)


def test_a_template_that_was_filled_in_loads_and_its_codes_are_then_left_out(tmp_path: Path) -> None:
    orders, made = a_file(tmp_path / "orders.ndjson", *ORDERS), tmp_path / "made.json"
    assert run("template", orders, "--out", made).exit_code == 0
    site = filled(json.loads(made.read_text()), tmp_path / "site.json")
    words = vocabulary(STANDARD, concept_maps.load([site]))
    assert words.ideas(CPT, "29998") == (next(iter(GROUPS)),)
    assert words.ideas("urn:site", "OP 7") == (list(GROUPS)[2],)
    assert words.ideas(CPT, "29999") == ()
    again = run("template", orders, "--map", site)
    assert rows(json.loads(again.stdout)) == []
    assert "5 understood, 6 no operations, 0 to map" in again.stderr


def test_a_template_that_nobody_filled_in_stops_the_start_and_names_the_code(tmp_path: Path) -> None:
    document = json.loads(run("template", a_file(tmp_path / "orders.ndjson", *ORDERS)).stdout)
    with pytest.raises(ConceptMapError, match=r"site\.json: .*29998, 29999 has no target yet"):
        concept_maps.load([a_file(tmp_path / "site.json", document)])


def test_a_filled_template_without_an_approver_stops_the_start(tmp_path: Path) -> None:
    document = json.loads(run("template", a_file(tmp_path / "orders.ndjson", *ORDERS)).stdout)
    site = filled(document, tmp_path / "site.json")
    unsigned = json.loads(site.read_text()) | {"contact": [{"name": ""}]}
    with pytest.raises(ConceptMapError, match="no contact"):
        concept_maps.load([a_file(site, unsigned)])


def test_folders_in_folders_gzip_and_bundles_are_read(tmp_path: Path) -> None:
    a_file(tmp_path / "export" / "deep" / "er" / "a.ndjson", an_order((CPT, "1")))
    (tmp_path / "export" / "b.ndjson.gz").write_bytes(gzip.compress(json.dumps(an_order((CPT, "2"))).encode()))
    bundle = {
        "resourceType": "Bundle",
        "entry": [{"resource": an_order((CPT, "3"))}, {"resource": an_order((CPT, "4"))}],
    }
    a_file(tmp_path / "export" / "c.ndjson", bundle)
    found = rows(json.loads(run("template", tmp_path / "export").stdout))
    assert [code for _, code, _ in found] == ["1", "2", "3", "4"]
    alone = tmp_path / "bundle.json"
    alone.write_text(json.dumps(bundle, indent=2))
    assert [code for _, code, _ in rows(json.loads(run("template", alone).stdout))] == ["3", "4"]


def test_lines_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    broken = an_order((CPT, "1"), category=7)
    told = run("template", a_file(tmp_path / "o.ndjson", "{", an_order((CPT, "1")), broken, "[]", '{"a": 1}'))
    assert told.exit_code == 0
    assert "; 4 lines unreadable" in told.stderr


@pytest.mark.parametrize(
    "resources", [[], ["{", "not json"], [{"resourceType": "Patient"}], [{"resourceType": "Bundle", "entry": 7}]]
)
def test_an_export_without_one_order_that_can_be_read_is_refused(tmp_path: Path, resources: list[Any]) -> None:
    assert run("template", a_file(tmp_path / "o.ndjson", *resources)).exit_code != 0


def test_an_empty_folder_and_a_broken_archive_are_refused(tmp_path: Path) -> None:
    assert "holds no file" in run("template", tmp_path).stderr
    (tmp_path / "a.ndjson.gz").write_bytes(b"\x1f\x8bnot an archive")
    assert run("template", tmp_path).exit_code == 1
    assert run("template", tmp_path / "nowhere").exit_code != 0


def an_evaluation(number: int, *unmapped: tuple[str, str], tenant: str = "t", day: int = 20) -> EvaluationRow:
    return EvaluationRow(
        id=str(number), tenant_id=tenant, received_at=datetime(2026, 11, day, tzinfo=UTC), hook="order-select",
        hook_instance="h", status=200, decision="silence", unmapped=unmapped,
    )  # fmt: skip


def test_the_codes_that_got_no_answer_are_listed_by_how_often(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/record.sqlite3"
    assert "record migrate" in run("unmapped", "t", "--database", url).stderr
    migrate.upgrade(url)
    engine = database.connect(url, durable=True, connections=1)
    writer.write(
        engine,
        [
            an_evaluation(1, (CPT, "29999")),
            an_evaluation(2, (CPT, "29999"), ("urn:site", "X")),
            an_evaluation(3, ("", "")),
            an_evaluation(4),
            an_evaluation(5, (SNOMED_CT, "1"), day=1),
            an_evaluation(6, (SNOMED_CT, "2"), tenant="other"),
        ],
    )
    told = run("unmapped", "t", "--since", "2026-11-10", "--database", url)
    assert [line.split() for line in told.stdout.splitlines()] == [
        ["2", f"{CPT}|29999"], ["1", "no", "code"], ["1", "urn:site|X"]
    ]  # fmt: skip
    assert "3 codes in no procedure group, in 4 evaluations" in told.stderr
    assert len(run("unmapped", "t", "--most", "1", "--database", url).stdout.splitlines()) == 1


def test_a_template_maps_to_our_ideas(tmp_path: Path) -> None:
    document = json.loads(run("template", a_file(tmp_path / "orders.ndjson", *ORDERS)).stdout)
    assert {group["target"] for group in document["group"]} == {CONCEPT}
    assert all(name in document["description"] for name in GROUPS)
