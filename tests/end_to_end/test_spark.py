"""The extra `spark`: mapping report and replay as on one machine, by every way to Spark. Needs Java and PyPI."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cds_service.replay import processes
from cds_service.replay.opened import NamedOpening
from tests.end_to_end import people
from tests.end_to_end.servers import BUILD, HERE
from tests.fhir_mappings.cohorts import FOLDERS, SHARED

pytestmark = pytest.mark.end_to_end
ROOT = HERE.parents[1]
# The last one is Spark Connect, with a server of its own. A minute each: report and replay each go one of these
# ways in .ci/run, every way with `make long`.
MASTERS = ("local[2]", "local-cluster[2,1,1024]", "remote local[2]")
LOCAL, CLUSTER, CONNECT = (pytest.param(master, marks=pytest.mark.long) for master in MASTERS)
SESSION = """
import hashlib, sys, tempfile
from collections import Counter
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo
from pyspark.sql import SparkSession

master, folder = sys.argv[1], Path(sys.argv[2])
builder = SparkSession.builder
builder = builder.remote(master.split()[1]) if master.startswith("remote") else builder.master(master)
for name, value in (("spark.ui.enabled", "false"), ("spark.driver.host", "127.0.0.1"),
                    ("spark.driver.bindAddress", "127.0.0.1"), ("spark.driver.memory", "1g"),
                    ("spark.sql.shuffle.partitions", "4"), ("spark.executorEnv.PYTHONPATH", sys.argv[3])):
    builder = builder.config(name, value)
spark = builder.getOrCreate()
"""
REPORT = """
from fhir_mappings.report import bulk_spark, mapping_report
from fhir_mappings.report.mapping_counts import MappingSite
from fhir_mappings.terminology import concept_maps

site = MappingSite(datetime.fromisoformat(sys.argv[4]), ZoneInfo("UTC"), concept_maps.load([concept_maps.DEMO]))
lost = Counter()
here = mapping_report.report(mapping_report.of_export(folder, lost), site, lost=lost)
assert here.patients == int(sys.argv[5]), here.patients
assert {what for (what, *_), _ in here.lost} == {"broken-line", "of-nobody", "person-without-patient"}, here.lost
assert bulk_spark.report(spark, str(folder), site) == here
with tempfile.TemporaryDirectory() as parquet:
    spark.read.text(str(folder)).write.mode("overwrite").parquet(parquet)
    assert bulk_spark.of_dataframe(spark.read.parquet(parquet), site) == here
spark.stop()
print("alike")
"""
REPLAY = """
import json
from cds_service.replay import spark as on_spark
from cds_service.replay.opened import NamedOpening

named = NamedOpening(procedures_too=True)
with tempfile.TemporaryDirectory() as parquet:
    spark.read.text(str(folder)).write.mode("overwrite").parquet(parquet)
    for found in (on_spark.replay(spark, str(folder), named),
                  on_spark.of_dataframe(spark.read.parquet(parquet), named)):
        lines = [row[0] for row in found.lines().collect()]
        whole = hashlib.sha256("".join(line + chr(10) for line in lines).encode()).hexdigest()
        print(json.dumps({"sha256": whole, "rows": len(lines), "counts": found.counts(), "provided": found.provided}))
spark.stop()
"""


def spark_home() -> Path:
    """PySpark in a folder of its own, installed once from PyPI as pyproject's extra names it."""
    home = BUILD / "spark"
    if not (home / "pyarrow").exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target", str(home)]
        subprocess.run([*command, "pyspark[connect]>=4.0"], check=True, timeout=900)
    return home


def on_spark(program: str, master: str, folder: Path, *words: str) -> str:
    home = spark_home()
    path = f"{home}:{ROOT}"
    environment = {
        **os.environ, "PYTHONPATH": path, "PYSPARK_PYTHON": sys.executable, "SPARK_HOME": str(home / "pyspark"),
    }  # fmt: skip
    command = [sys.executable, "-W", "ignore", "-c", SESSION + program, master, str(folder), path, *words]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


def written(folder: Path, lines: Sequence[str]) -> Path:
    folder.mkdir()
    (folder / "a.ndjson").write_text("\n".join([*lines[::2], "{broken"]))
    (folder / "b.ndjson.gz").write_bytes(gzip.compress("\n".join(lines[1::2]).encode()))
    return folder


def with_odd_lines(resources: Sequence[dict[str, Any]]) -> list[str]:
    """A Bundle in one line, an empty line, somebody without a Patient, and what belongs to nobody."""
    lines = [json.dumps(resource) for resource in resources]
    bundled = {"resourceType": "Bundle", "entry": [{"resource": json.loads(one)} for one in (lines.pop(), lines.pop())]}
    gone = {"resourceType": "Condition", "subject": {"reference": "Patient/gone"}}
    return [*lines, "", json.dumps(bundled), json.dumps(gone), json.dumps({"resourceType": "Condition"})]


@pytest.mark.parametrize("master", [LOCAL, CLUSTER, MASTERS[2]])
def test_spark_counts_as_one_machine_does(master: str, folk: tuple[people.Person, ...], tmp_path: Path) -> None:
    export = written(tmp_path / "export", with_odd_lines(people.everything(folk)))
    assert on_spark(REPORT, master, export, datetime.now(UTC).isoformat(), str(len(folk))).endswith("alike")


def with_orders() -> list[dict[str, Any]]:
    """The demo patients and the messy cases, each with an order of yesterday or of the case's instant."""
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    found: list[dict[str, Any]] = []
    for person in people.demo_people():
        found += [*person.resources, an_order(person.id, person.order, now - timedelta(days=1))]
    for path in sorted(FOLDERS.glob("*/request.json")):
        own = path.parent.name
        for value in json.loads(path.read_text())["prefetch"].values():
            entries = value.get("entry", ()) if isinstance(value, dict) else ()
            those = [value] if isinstance(value, dict) and value.get("resourceType") == "Patient" else []
            those += [one["resource"] for one in entries if isinstance(one.get("resource"), dict)]
            found += [json.loads(json.dumps(one).replace("pt-1", own)) for one in those]
        found.append(an_order(own, people.FUSION, now))
    return found


def an_order(patient_id: str, code: tuple[str, str], when: datetime) -> dict[str, Any]:
    return {
        "resourceType": "ServiceRequest",
        "id": f"order-of-{patient_id}",
        "status": "completed",
        "intent": "order",
        "code": {"coding": [dict(zip(("system", "code"), code, strict=True))]},
        "subject": {"reference": f"Patient/{patient_id}"},
        "authoredOn": when.isoformat(),
    }


def replayed_alike(export: Path, folder: Path, master: str) -> int:
    """How many rows there are, the same by two processes and by Spark, from NDJSON and from Parquet."""
    here = processes.run(
        export,
        folder / "rows",
        folder / "work",
        NamedOpening(procedures_too=True),
        processes=2,
        progress=lambda *_: None,
    )
    for line in on_spark(REPLAY, master, export).splitlines():
        there = json.loads(line)
        assert there["sha256"] == here.sha256
        assert there["rows"] == here.rows
        assert there["counts"] == here.counts
        assert tuple(there["provided"]) == here.provided
    return here.rows


@pytest.mark.parametrize("master", [LOCAL, MASTERS[1], CONNECT])
def test_spark_replays_as_one_machine_does(master: str, tmp_path: Path) -> None:
    export = written(tmp_path / "export", with_odd_lines(with_orders()))
    assert replayed_alike(export, tmp_path, master) > 50


@pytest.mark.long
@pytest.mark.shared
@pytest.mark.parametrize("master", MASTERS[:2])
def test_spark_replays_synthea_as_one_machine_does(master: str, tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    for path in SHARED.glob("*.ndjson.gz"):
        (export / path.name).symlink_to(path)
    assert replayed_alike(export, tmp_path, master) > 10_000
