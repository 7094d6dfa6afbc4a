"""An export as it comes: subfolders, Bundles, broken lines and cut-off files are read or counted, never passed over."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fhir_mappings.report import bulk, bulk_files, mapping_report
from fhir_mappings.report.bulk_files import BROKEN_LINE, CUT_OFF, NO_FHIR, NO_PATIENT, OF_NOBODY, OTHER_FILE, Lost
from fhir_mappings.report.mapping_counts import MappingSite
from fhir_mappings.report.mapping_report import MappingReport
from tests.builders import AS_OF, ZONE, a_condition, a_patient, an_observation

SITE = MappingSite(AS_OF, ZONE)
ALL = [a_patient(), a_condition("I50.9"), an_observation()]


def ndjson(*resources: dict[str, Any]) -> str:
    return "".join(json.dumps(one) + "\n" for one in resources)


def bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def by_uuid(resource: dict[str, Any]) -> dict[str, Any]:
    return (
        {**resource, "subject": {"reference": f"urn:uuid:{a_patient()['id']}"}} if "subject" in resource else resource
    )


WHOLE: dict[str, Callable[[Path], object]] = {
    "one.ndjson": lambda to: (to / "all.ndjson").write_text(ndjson(*ALL)),
    "no line feed at the end": lambda to: (to / "all.ndjson").write_text(ndjson(*ALL).rstrip()),
    "lines of Windows": lambda to: (to / "all.ndjson").write_bytes(ndjson(*ALL).replace("\n", "\r\n").encode()),
    "a byte order mark": lambda to: (to / "all.ndjson").write_bytes(b"\xef\xbb\xbf" + ndjson(*ALL).encode()),
    "gzip": lambda to: (to / "ALL.NDJSON.GZ").write_bytes(gzip.compress(ndjson(*ALL).encode())),
    "a Bundle in one line": lambda to: (to / "all.ndjson").write_text(ndjson(bundle(*ALL))),
    "a Bundle over many lines": lambda to: (to / "all.ndjson").write_text(json.dumps(bundle(*ALL), indent=2)),
    "a Bundle as JSON": lambda to: (to / "all.json").write_text(json.dumps(bundle(*ALL), indent=2)),
    "names of a Bundle": lambda to: (to / "all.json").write_text(json.dumps(bundle(*map(by_uuid, ALL)))),
    "a file each": lambda to: [(to / f"{n}.json").write_text(json.dumps(one, indent=1)) for n, one in enumerate(ALL)],
    "subfolders": lambda to: [
        ((to / str(n) / "x").mkdir(parents=True), (to / str(n) / "x" / "a.ndjson").write_text(ndjson(one)))
        for n, one in enumerate(ALL)
    ],
    "an empty file beside": lambda to: ((to / "a.ndjson").write_text(ndjson(*ALL)), (to / "b.ndjson").touch()),
}


def reported(export: Path) -> MappingReport:
    lost: Lost = Counter()
    return mapping_report.report(mapping_report.of_export(export, lost), SITE, lost=lost)


@pytest.mark.parametrize("shape", WHOLE)
def test_the_same_data_in_every_shape_give_the_same_report(shape: str, tmp_path: Path) -> None:
    WHOLE[shape](tmp_path)
    found = reported(tmp_path)
    assert found.lost == ()
    assert bulk.count_patients(tmp_path) == found.patients == 1
    statuses = mapping_report.statuses(found)
    assert statuses["creatinine"] == {"used": 1}
    assert (("heart_failure",), 1) in found.present


LINE = ndjson(a_condition("M54.50"))
BROKEN: dict[str, tuple[bytes, dict[tuple[str, ...], int]]] = {
    "a broken line": (b'{"resourceType": "Condi\n' + LINE.encode(), {(BROKEN_LINE,): 1}),
    "a line cut off at the end": (LINE.encode() + LINE.encode()[:40], {(BROKEN_LINE,): 1}),
    "lines that are no resource": (LINE.encode() + b'[]\n7\n"x"\nnull\n{}\n{"a": 1}\n', {(BROKEN_LINE,): 6}),
    "no UTF-8": (LINE.encode() + b'{"resourceType": "\xff"}\n', {(BROKEN_LINE,): 1}),
    "a table": (b"id;code\n1;I50.9\n", {(BROKEN_LINE,): 2, (NO_FHIR,): 1}),
    "XML": (b"<Bundle>\n<entry/>\n</Bundle>\n", {(BROKEN_LINE,): 3, (NO_FHIR,): 1}),
    "an array": (json.dumps(ALL).encode(), {(BROKEN_LINE,): 1, (NO_FHIR,): 1}),
    "a broken Bundle": (b'{"resourceType": "Bundle", "entry": 7}\n', {(BROKEN_LINE,): 1, (NO_FHIR,): 1}),
    "an entry without its resource": (
        json.dumps({"resourceType": "Bundle", "entry": [{}, {"resource": a_condition()}]}).encode(),
        {(BROKEN_LINE,): 1},
    ),
    "of nobody": (
        ndjson(
            {"resourceType": "Condition"}, a_condition(subject={"display": "x"}), {"resourceType": "Location"}
        ).encode(),
        {(OF_NOBODY, "Condition"): 2},
    ),
    "of a group": (ndjson(an_observation(subject={"reference": "Group/1"})).encode(), {(OF_NOBODY, "Observation"): 1}),
    "of a person who is not there": (
        ndjson(a_condition(subject={"reference": "Patient/gone"})).encode(),
        {(NO_PATIENT,): 1},
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_broken_or_of_nobody_is_counted_and_the_rest_is_read(kind: str, tmp_path: Path) -> None:
    content, expected = BROKEN[kind]
    (tmp_path / "a.ndjson").write_text(ndjson(*ALL))
    (tmp_path / "b.ndjson").write_bytes(content)
    found = reported(tmp_path)
    assert dict(found.lost) == expected
    assert found.patients == 1
    assert (("heart_failure",), 1) in found.present


@pytest.mark.parametrize("spare", [1, 9, 30, -1])
def test_a_file_that_is_cut_off_is_counted(spare: int, tmp_path: Path) -> None:
    whole = gzip.compress(ndjson(*(a_condition(id=str(number)) for number in range(500))).encode())
    (tmp_path / "a.ndjson").write_text(ndjson(*ALL))
    (tmp_path / "b.ndjson.gz").write_bytes(b"no gzip" if spare < 0 else whole[:-spare])
    found = dict(reported(tmp_path).lost)
    assert found.pop((CUT_OFF,)) == 1
    assert set(found) <= {(BROKEN_LINE,)}


def test_what_is_no_file_of_fhir_is_counted_and_breaks_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_text(ndjson(*ALL))
    (tmp_path / "README.md").write_text("words")
    (tmp_path / "manifest.json").write_text('{"transactionTime": "2026-11-01T12:00:00Z", "output": []}')
    found = reported(tmp_path)
    assert dict(found.lost) == {(OTHER_FILE,): 2}
    assert not found.broken


def test_a_line_without_an_end_is_not_taken_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_files, "LARGEST", 2_000)
    long = json.dumps(a_condition(note=[{"text": "x" * 9_000}])) + "\n"
    (tmp_path / "a.ndjson").write_text(ndjson(*ALL) + long + ndjson(an_observation("718-7", 13, "g/dL")))
    found = reported(tmp_path)
    assert dict(found.lost) == {(BROKEN_LINE,): 1}
    assert mapping_report.statuses(found)["haemoglobin"] == {"used": 1}
