"""An export becomes the same records as a live hook, and nothing later than the index instant is read."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from fhir_mappings.features.features import derive
from fhir_mappings.report import bulk
from tests.builders import (
    AS_OF,
    PATIENT_ID,
    ZONE,
    a_condition,
    a_medication_request,
    a_patient,
    a_planned_procedure,
    an_observation,
    coded,
    days_ago,
)
from tests.builders import derived as live

MEDICATION = {
    "resourceType": "Medication",
    "id": "med-1",
    "code": coded(("http://www.nlm.nih.gov/research/umls/rxnorm", "1364430")),
}
BY_REFERENCE = a_medication_request(
    medicationCodeableConcept=None, medicationReference={"reference": "Medication/med-1"}
)


def an_export(directory: Path, *resources: dict[str, Any]) -> Path:
    """One NDJSON file per resource type, every other one gzipped, with a line that is no JSON."""
    by_type: dict[str, list[bytes]] = {}
    for one in resources:
        by_type.setdefault(one["resourceType"], []).append(json.dumps(one).encode())
    for number, (kind, lines) in enumerate(sorted(by_type.items())):
        content = b"\n".join([*lines, b"", b"{broken"])
        if number % 2:
            (directory / f"{kind}.ndjson.gz").write_bytes(gzip.compress(content))
        else:
            (directory / f"{kind}.ndjson").write_bytes(content)
    return directory


def as_of(_: str) -> datetime:
    return AS_OF


def test_an_export_gives_the_features_of_the_live_hook(tmp_path: Path) -> None:
    person = (a_patient(), a_condition("I50.9"), an_observation(), BY_REFERENCE, MEDICATION)
    records = list(bulk.records(an_export(tmp_path, *person), as_of=as_of, zone=ZONE))
    found, hook = derive(records[0], a_planned_procedure()), live(*person)
    names = ("age", "heart_failure", "creatinine", "egfr", "anticoagulant")
    assert [found[name] for name in names] == [hook[name] for name in names]
    assert found["anticoagulant"].value is True


def test_every_patient_has_a_record_and_nobody_without_a_patient_resource(tmp_path: Path) -> None:
    other = {"reference": "Patient/pt-2"}
    stranger = {"reference": "Patient/nobody"}
    people = (
        a_patient(),
        a_patient(id="pt-2"),
        an_observation(subject=other, id="o-2"),
        an_observation(subject=stranger, id="o-3"),
    )
    records = {one.patient_id: one for one in bulk.records(an_export(tmp_path, *people), as_of=as_of, zone=ZONE)}
    assert set(records) == {PATIENT_ID, "pt-2"}
    assert "creatinine" in records["pt-2"].recorded
    assert "creatinine" not in records[PATIENT_ID].recorded


def test_nothing_later_than_the_index_is_read(tmp_path: Path) -> None:
    ahead = an_observation(effectiveDateTime=days_ago(-0.1))
    record = next(bulk.records(an_export(tmp_path, a_patient(), ahead), as_of=as_of, zone=ZONE))
    assert derive(record, a_planned_procedure())["creatinine"].reason == "future"
    assert live(ahead)["creatinine"].flags == ("time-ahead",)


def test_reading_a_part_at_a_time_gives_every_patient_the_same_resources(tmp_path: Path) -> None:
    people = [a_patient(id=f"pt-{number}") for number in range(20)]
    results = [an_observation(id=f"o-{n}", subject={"reference": f"Patient/pt-{n % 20}"}) for n in range(60)]
    export = an_export(tmp_path, *people, *results, BY_REFERENCE, MEDICATION, a_patient())
    at_once = {one: sorted(map(bytes, those)) for one, those in bulk.by_patient(export).items()}
    in_parts = {one: sorted(bytes(raw).rstrip() for raw in those) for one, those in bulk.patients(export, parts=7)}
    assert in_parts == {one: sorted(raw.rstrip() for raw in those) for one, those in at_once.items()}
    assert len(in_parts) == 20
    assert any(b"med-1" in raw and b"1364430" in raw for raw in in_parts[PATIENT_ID])
