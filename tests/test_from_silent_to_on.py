"""docs/from-silent-to-on.md, done as it is written, beside a running service, with an invented hospital."""

from __future__ import annotations

import contextlib
import csv
import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from cds_service.demo import patients
from cds_service.records.records import Records
from cds_service.records.rows import EvaluationRow
from tests.as_written import SERVE, blocks, environment, ran
from tests.cds_service.validation import invented
from tests.end_to_end.servers import free_port, running

pytestmark = pytest.mark.end_to_end
ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "from-silent-to-on.md").read_text(encoding="utf-8")
BLOCKS = [(block.kind, block.text) for block in blocks(PAGE)]
(CANARY,) = [code for kind, code in BLOCKS if kind == "sh" and "canary --hook" in code]
CPT = "http://www.ama-assn.org/go/cpt"
OPERATIONS = 1_200
UNKNOWN_CODE = "29999"
PLACEHOLDER = "the hash that validate told"


class Team:
    """People at a terminal in one empty folder, whose service listens on a port that is free."""

    def __init__(self, folder: Path, service: contextlib.ExitStack) -> None:
        self.folder, self.service = folder, service
        for name in ("state", "tenants", "export"):
            (folder / name).mkdir()
        self.bind = f"127.0.0.1:{free_port()}"
        self.environment = environment(
            folder, CDS_STATE_DIRECTORY=str(folder / "state"), CDS_BIND=self.bind, CDS_WORKERS="1"
        )
        self.exports = self.refused = ""
        self.printed: list[tuple[str, str]] = []

    def script(self, block: str) -> str:
        return f"{self.exports}\n{block}"

    def tries(self, block: str) -> subprocess.CompletedProcess[str]:
        return ran(self.script(block), folder=self.folder, environment=self.environment)

    def runs(self, block: str) -> str:
        """What the block printed. What a terminal was told to export it keeps."""
        done = self.tries(block)
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        self.exports = next((line for line in block.splitlines() if line.startswith("export ")), self.exports)
        return done.stdout

    def serves(self, block: str) -> None:
        """End the service that runs, if one does, and start it as the block says."""
        self.service.close()
        command = ["sh", "-ec", self.script(block.replace(SERVE, f"exec {SERVE}"))]
        log, ready = self.folder / "log", f"http://{self.bind}/ready"
        self.service.enter_context(running(command, ready, log=log, cwd=self.folder, environment=self.environment))
        assert requests.get(ready, timeout=10).status_code == 200

    def told(self, words: str) -> str:
        """What the first block that holds these words printed."""
        return next(told for block, told in self.printed if words in block)

    def writes(self, block: str) -> None:
        first, _, content = block.partition("\n")
        name = first.removeprefix("# ").removeprefix("add to ")
        with (self.folder / name).open("a" if "add to" in first else "x", encoding="utf-8") as file:
            file.write(content)


def its_data(folder: Path) -> None:
    """Nine invented people, and one order in a code that nobody mapped."""
    told = [json.dumps(one) for one in patients.everything(datetime.now(UTC))]
    order = {"resourceType": "ServiceRequest", "id": "unmapped", "status": "active", "intent": "order"}
    order |= {"subject": {"reference": "Patient/demo-fusion"}}
    told.append(json.dumps(order | {"code": {"coding": [{"system": CPT, "code": UNKNOWN_CODE}]}}))
    (folder / "all.ndjson").write_text("\n".join(told), encoding="utf-8")


def its_silent_weeks(folder: Path, now: datetime) -> dict[str, tuple[EvaluationRow, bool]]:
    """What the service records of so many silent operations, and what came of each."""
    records = Records(f"sqlite:///{folder}/record.sqlite3", folder=folder / "state", connections=1, counted=print)
    rows, happened = invented.operations(OPERATIONS, first=now - timedelta(days=280))
    for start in range(0, OPERATIONS, 200):
        for row in rows[start : start + 200]:
            records.write_evaluation(row)
        assert records.flush(30)
    records.close()
    return {row.id: (row, occurred) for row, occurred in zip(rows, happened, strict=True)}


def its_register(folder: Path, came: dict[str, tuple[EvaluationRow, bool]]) -> None:
    """The outcomes of every operation in the export, with their days."""
    with (folder / "evaluations.csv").open(encoding="utf-8") as file:
        assert {row["id"] for row in csv.DictReader(file)} >= came.keys()
    lines = ["evaluation_id,outcome,occurred,operated_on,occurred_on,observed_through"]
    for one, (row, occurred) in came.items():
        day = row.received_at.date()
        on = day + timedelta(days=4) if occurred else ""
        lines.append(f"{one},any-complication,{str(occurred).lower()},{day},{on},{day + timedelta(days=60)}")
    (folder / "outcomes.csv").write_text("\n".join(lines), encoding="utf-8")


def signed(block: str, told: str) -> str:
    """The block with the hash that the report has and the day on which it was signed."""
    (sha256,) = re.findall(r"^sha256: ([0-9a-f]{64})$", told, re.MULTILINE)
    assert PLACEHOLDER in block
    return block.replace(PLACEHOLDER, sha256).replace("2026-11-29", datetime.now(UTC).date().isoformat())


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """Every block of the page, done in its order; what only people can do is done between."""
    with contextlib.ExitStack() as service:
        team = Team(tmp_path_factory.mktemp("team"), service)
        its_data(team.folder / "export")
        came: dict[str, tuple[EvaluationRow, bool]] = {}
        for kind, block in BLOCKS:
            if "# add to" in block:
                team.refused = team.tries(CANARY).stderr
            if "import-outcomes" in block:
                its_register(team.folder, came)
            if kind == "yaml":
                team.writes(signed(block, team.told("validate")) if "local_validation" in block else block)
            elif "cds-service serve" in block:
                team.serves(block)
            else:
                team.printed.append((block, team.runs(block)))
            if block == "cds-service serve\n":
                came = came or its_silent_weeks(team.folder, datetime.now(UTC))
        yield team


def test_the_data_and_the_orders_are_seen_before_anything_is_switched_on(team: Team) -> None:
    assert "9 patients read, 0 unreadable" in team.told("mapping-report")
    assert UNKNOWN_CODE in (team.folder / "order-codes.json").read_text(encoding="utf-8")


def test_check_finds_nothing_wrong(team: Team) -> None:
    assert "(production, silent" in team.told("check")
    assert "FAIL" not in team.told("check")


def test_the_drill_reaches_every_worker_and_is_on_record(team: Team) -> None:
    drill = team.told("drill before go-live")
    assert drill.count("1 of 1 workers have it") == 2
    assert "by A. Jones: drill is over" in drill


def test_the_record_gives_scores_beside_what_happened(team: Team) -> None:
    assert f"{OPERATIONS} lines: {OPERATIONS} new" in team.told("import-outcomes")
    with (team.folder / "scores.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["occurred"] for row in rows if row["outcome"] == "any-complication"} == {"0", "1"}
    assert {"sex", "age_band", "operation", "of_operation", "occurred_on", "observed_through"} <= set(rows[0])
    assert {row["of_operation"] for row in rows} == {"1"}  # each of them was asked about once


def test_the_report_is_written_and_its_gates_pass(team: Team) -> None:
    told = team.told("validate")
    assert "FAIL" not in told
    assert f"{OPERATIONS} operations in " in told
    assert "<svg" in (team.folder / "validation" / "validation.html").read_text(encoding="utf-8")


def test_the_floors_of_the_budget_are_told_and_nothing_is_changed(team: Team) -> None:
    told = team.told("record floors")
    assert f"{OPERATIONS} operations; now " in told
    assert "card_floors: {30-day-death: " in told


def test_without_a_validation_that_somebody_signed_no_card_is_shown(team: Team) -> None:
    assert "canary needs local_validation" in team.refused


def test_canary_and_on_are_in_force_and_by_whom(team: Team) -> None:
    canary = team.told("first ten surgeons")
    assert "mode: canary for tenant=general-hospital hook=order-sign group=spine-fusion" in canary
    on = team.told("canary phase signed")
    assert re.search(r"^mode: on for tenant=general-hospital hook=\* group=\*$", on, re.MULTILINE)
    assert not re.search(r"^mode: canary", on, re.MULTILINE)
    assert "by A. Jones, approved by Dr. B. Smith: canary phase signed" in on


def test_on_needs_two_people(team: Team) -> None:
    (block,) = [code for kind, code in BLOCKS if "general-hospital on" in code]
    alone = team.tries(block.splitlines()[0].replace(' --approved-by "Dr. B. Smith"', ""))
    assert alone.returncode == 1
    assert "needs a second person" in alone.stderr


def test_the_way_back_is_as_short(team: Team) -> None:
    assert team.told("a card was wrong").count("1 of 1 workers have it") == 1
    assert requests.get(f"http://{team.bind}/health", timeout=10).json()["killSwitch"] == "on"
    assert "kill: killed for tenant=general-hospital hook=* group=*" in team.runs("cds-service mode show")


def test_what_the_page_leaves_to_people_is_a_command(team: Team) -> None:
    assert "cds-service monitor" in PAGE
    assert re.findall(r"^  (monitor)\b", team.runs("cds-service --help"), re.MULTILINE)
