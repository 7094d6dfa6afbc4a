"""docs/add-a-model.md, done as it is written: its blocks run in an empty folder beside a running service."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.as_written import SERVE, blocks, environment, ran
from tests.end_to_end.servers import free_port, running

pytest.importorskip("xgboost", reason="no wheel of it for this machine (pyproject.toml, extra `added`)")

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "add-a-model.md").read_text(encoding="utf-8")
BLOCKS = [(block.kind, block.text) for block in blocks(PAGE)]
AS_WRITTEN = "127.0.0.1:8000"
EXTENSION = "io.surgical-risk.assessment"
LINE = "Added by this site, not validated here: Blood transfusion within 7 days "


class Reader:
    """Somebody in two terminals in one empty folder, on a port that is free."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "state").mkdir()
        self.bind = f"127.0.0.1:{free_port()}"
        self.environment = environment(folder, CDS_STATE_DIRECTORY=str(folder / "state"))

    def script(self, block: str) -> str:
        (exports,) = [code for kind, code in BLOCKS if kind == "sh" and "models new" in code]
        return f"{exports.splitlines()[0]}\n{block.replace(AS_WRITTEN, self.bind)}"

    def runs(self, block: str) -> str:
        done = ran(self.script(block), folder=self.folder, environment=self.environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def saves(self, block: str) -> None:
        name = block.partition("\n")[0].removeprefix("# ")
        assert (self.folder / name).exists(), "the page replaces what `models new` made"
        (self.folder / name).write_text(block, encoding="utf-8")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Reader, dict[str, str]]]:
    """Every block of the page up to the second version, in its order; by the block what it printed."""
    reader, printed = Reader(tmp_path_factory.mktemp("reader")), {}
    (serve, *rest) = [(kind, code) for kind, code in BLOCKS if kind != "text"]
    command = ["sh", "-ec", reader.script(serve[1].replace(SERVE, f"exec {SERVE}"))]
    ready = f"http://{reader.bind}/ready"
    with running(command, ready, log=reader.folder / "log", cwd=reader.folder, environment=reader.environment):
        for kind, code in rest:
            if "models rollback" in code:
                break
            if kind == "sh":
                printed[code.strip().splitlines()[-1]] = reader.runs(code)
            else:
                reader.saves(code)
        yield reader, printed


def of(printed: dict[str, str], words: str) -> str:
    (found,) = [told for command, told in printed.items() if words in command]
    return " ".join(found.split())


def test_it_is_added_with_golden_scores(done: tuple[Reader, dict[str, str]]) -> None:
    told = of(done[1], "models add")
    assert re.search(r"ok transfusion 1\.0\.0: 1 nodes \(TreeEnsembleClassifier\), .* golden scores", told)
    assert "not validated here" in told


def test_the_card_tells_figure_contributions_and_range(done: tuple[Reader, dict[str, str]]) -> None:
    shown = of(done[1], "call demo-comorbid")
    assert re.search(rf"{LINE}\d+ in 100 \(higher with haemoglobin 10\.2 g/dL \(\d+ \w+\), ASA class IV", shown), shown
    ranged = of(done[1], "call demo-no-asa")
    assert re.search(rf"{LINE}\d+ to \d+ in 100, depending on ASA class\.", ranged), ranged


def test_what_the_page_shows_of_the_card_is_what_it_tells() -> None:
    """But for figures and days, which move with the library's version and the calendar."""
    blocks_shown = [" ".join(code.split()) for kind, code in BLOCKS if kind == "text"]
    shown = [one for one in blocks_shown if one.startswith(LINE)]
    assert [re.sub(r"\d+", "N", one.removeprefix(LINE)) for one in shown] == [
        "N in N (higher with haemoglobin N.N g/dL (N Nov), ASA class IV (N Nov)).",
        "N to N in N, depending on ASA class.",
    ]


def called(reader: Reader, patient: str, code: str) -> dict[str, Any]:
    command = f"cds-service call {patient} {code} --service http://{AS_WRITTEN} --json"
    answer = json.loads(reader.runs(command))
    predictions = answer["cards"][0]["extension"][EXTENSION]["predictions"]
    found: dict[str, Any] = next(one for one in predictions if one["model"] == "transfusion")
    return found


def test_the_running_service_tells_it_as_data_and_on_a_page(done: tuple[Reader, dict[str, str]]) -> None:
    reader = done[0]
    whole = called(reader, "demo-comorbid", "63047")
    assert 0 < whole["probability"] < 1
    assert {one["input"] for one in whole["contributions"]} == {
        "age", "asa_class", "haemoglobin", "heart_failure", "sex",
    }  # fmt: skip
    assert whole["added"]["method"] == "shapley"
    ranged = called(reader, "demo-no-asa", "22612")
    assert ranged["status"] == "range"
    assert ranged["missingRange"]["low"] < ranged["missingRange"]["high"]
    page = requests.get(f"http://{reader.bind}/models/added/transfusion", timeout=10)
    assert (page.status_code, "Shapley values" in page.text) == (200, True)


def test_another_version_comes_and_goes(done: tuple[Reader, dict[str, str]]) -> None:
    """Last: it takes the model away."""
    reader = done[0]
    (block,) = [code for kind, code in BLOCKS if kind == "sh" and "models rollback" in code]
    told = reader.runs(block)
    for words in ("ok    transfusion 1.1.0", "transfusion: 1.1.0 -> 1.0.0", "transfusion 1.0.0: removed"):
        assert words in told
    assert list((reader.folder / "site-models").iterdir()) == []
