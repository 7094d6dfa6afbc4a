"""The extra `spark`: the same report from an RDD and from a DataFrame as on one machine. Needs Java and PyPI."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.end_to_end import people
from tests.end_to_end.servers import BUILD, HERE

pytestmark = pytest.mark.end_to_end
ROOT = HERE.parents[1]
PROGRAM = """
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo
from pyspark.sql import SparkSession
from fhir_mappings.report import bulk_spark, mapping_report
from fhir_mappings.report.mapping_counts import MappingSite
from fhir_mappings.terminology import concept_maps

folder = Path(sys.argv[1])
site = MappingSite(datetime.fromisoformat(sys.argv[2]), ZoneInfo("UTC"), concept_maps.load([concept_maps.DEMO]))
spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
         .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
         .config("spark.driver.memory", "1g").config("spark.default.parallelism", "4").getOrCreate())
lost = Counter()
here = mapping_report.report(mapping_report.of_export(folder, lost), site, lost=lost)
assert here.patients == int(sys.argv[3]), here.patients
assert {what for (what, *_), _ in here.lost} == {"broken-line", "of-nobody", "person-without-patient"}, here.lost
assert bulk_spark.report(spark, str(folder), site) == here
assert bulk_spark.of_dataframe(spark.read.text(str(folder)), site) == here
spark.stop()
print("alike")
"""


def spark_home() -> Path:
    """PySpark in a folder of its own, installed once from PyPI as pyproject's extra names it."""
    home = BUILD / "spark"
    if not (home / "pyspark").exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(home), "pyspark>=4.0"]
        subprocess.run(command, check=True, timeout=900)
    return home


def test_spark_counts_as_one_machine_does(folk: tuple[people.Person, ...], tmp_path: Path) -> None:
    export = tmp_path / "export"
    export.mkdir()
    lines = [json.dumps(resource) for resource in people.everything(folk)]
    bundled = {"resourceType": "Bundle", "entry": [{"resource": json.loads(one)} for one in (lines.pop(), lines.pop())]}
    gone = {"resourceType": "Condition", "subject": {"reference": "Patient/gone"}}
    lines += ["", json.dumps(bundled), json.dumps(gone), json.dumps({"resourceType": "Condition"})]
    (export / "a.ndjson").write_text("\n".join([*lines[::2], "{broken"]))
    (export / "b.ndjson.gz").write_bytes(gzip.compress("\n".join(lines[1::2]).encode()))
    environment = {**os.environ, "PYTHONPATH": f"{spark_home()}:{ROOT}", "PYSPARK_PYTHON": sys.executable}
    words = [str(export), datetime.now(UTC).isoformat(), str(len(folk))]
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, *words]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert done.stdout.strip().endswith("alike"), done.stderr[-3000:]
