"""Promoting and retiring: verified before, recorded before, and then whole in one instant."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from models_onnx.model_card import ModelError
from models_onnx.promotion import Changes, Gate, promote, retire
from models_onnx.registry import PACKAGE, Registry, load


@pytest.fixture
def a_copy(tmp_path: Path) -> Path:
    target = tmp_path / "models"
    shutil.copytree(PACKAGE, target, ignore=shutil.ignore_patterns("training", "*.py", "__pycache__"))
    return target


def state(directory: Path, line: str) -> str:
    told = (directory / "registry.yaml").read_text(encoding="utf-8")
    return next(entry for entry in told.splitlines() if line in entry).partition("state: ")[2].rstrip("}")


def test_a_retired_model_stops_answering_and_a_promoted_one_answers_again(a_copy: Path) -> None:
    (change,) = retire(a_copy, "rcri", "1.0.0")
    assert (change.before, change.after) == ("champion", "retired")
    assert "rcri" not in {card.name for card in load(a_copy).cards}
    (change,) = promote(a_copy, "rcri", "1.0.0")
    assert (change.before, change.after) == ("retired", "champion")
    assert "rcri" in {card.name for card in load(a_copy).cards}
    assert (a_copy / "registry.yaml").read_bytes() == (PACKAGE / "registry.yaml").read_bytes()


def test_a_version_can_be_scored_in_silence(a_copy: Path) -> None:
    promote(a_copy, "rcri", "1.0.0", to="challenger")
    assert state(a_copy, "model: rcri") == "challenger"
    assert load(a_copy).states["rcri", "1.0.0"] == "challenger"


def test_a_version_that_is_not_there_is_not_promoted(a_copy: Path) -> None:
    with pytest.raises(ModelError, match=r"rcri 9\.0\.0: registry\.yaml does not name it"):
        promote(a_copy, "rcri", "9.0.0")


def test_what_is_the_champion_already_is_not_promoted(a_copy: Path) -> None:
    with pytest.raises(ModelError, match=r"rcri 1\.0\.0: it is champion already"):
        promote(a_copy, "rcri", "1.0.0")


def test_the_last_champion_is_not_retired(a_copy: Path) -> None:
    lines = (a_copy / "registry.yaml").read_text(encoding="utf-8")
    lines = lines.replace("state: champion", "state: retired").replace(
        "model: rcri, version: 1.0.0, state: retired", "model: rcri, version: 1.0.0, state: champion"
    )
    (a_copy / "registry.yaml").write_text(lines, encoding="utf-8")
    with pytest.raises(ModelError, match="no model would be told"):
        retire(a_copy, "rcri", "1.0.0")
    assert state(a_copy, "model: rcri") == "champion"


def test_models_that_would_not_load_are_not_changed(a_copy: Path) -> None:
    before = (a_copy / "registry.yaml").read_bytes()
    (a_copy / "stacked.onnx").write_bytes(b"")
    with pytest.raises(ModelError, match="sha256 differs"):
        retire(a_copy, "rcri", "1.0.0")
    assert (a_copy / "registry.yaml").read_bytes() == before


def test_the_file_never_changes_before_it_was_verified_and_recorded(a_copy: Path) -> None:
    before = (a_copy / "registry.yaml").read_bytes()
    seen: list[str] = []

    def accept(models: Registry) -> None:
        assert (a_copy / "registry.yaml").read_bytes() == before
        assert "rcri" not in {card.name for card in models.cards}
        seen.append("accepted")

    def record(changes: Changes) -> None:
        assert (a_copy / "registry.yaml").read_bytes() == before
        seen.extend(change.model for change in changes)

    retire(a_copy, "rcri", "1.0.0", gate=Gate(accept=accept, record=record))
    assert seen == ["accepted", "rcri"]
    assert state(a_copy, "model: rcri") == "retired"


@pytest.mark.parametrize("fails", ["accept", "record"])
def test_a_change_that_is_refused_or_cannot_be_recorded_is_not_made(a_copy: Path, fails: str) -> None:
    def no(_: object) -> None:
        raise ModelError("no")

    before = sorted(path.name for path in a_copy.iterdir())
    with pytest.raises(ModelError, match="no"):
        retire(a_copy, "rcri", "1.0.0", gate=Gate(**{fails: no}))
    assert (a_copy / "registry.yaml").read_bytes() == (PACKAGE / "registry.yaml").read_bytes()
    assert sorted(path.name for path in a_copy.iterdir()) == before


def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        retire(tmp_path / "nowhere", "rcri", "1.0.0")
