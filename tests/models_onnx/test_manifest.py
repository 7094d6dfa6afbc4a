"""No file that answers rest on can be changed, added or taken away without being found at the start and at a reload."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from models_onnx import manifest, registry
from models_onnx.model_card import ModelError
from models_onnx.registry import PACKAGE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(
        shutil.copytree(PACKAGE, tmp_path / "m", ignore=shutil.ignore_patterns("training", "*.py", "__pycache__"))
    )


def test_the_list_of_the_package_is_of_the_package() -> None:
    manifest.verify(PACKAGE)
    assert len(manifest.files(PACKAGE)) > 40


@pytest.mark.parametrize("name", sorted(manifest.files(PACKAGE)))
def test_a_byte_more_in_any_file_is_found(folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(ModelError, match=f"{name} was changed"):
        manifest.verify(folder)


def test_a_figure_that_still_adds_up_and_a_card_that_reads_well_stop_the_start(folder: Path) -> None:
    for name, old, new in [
        ("peers.yaml", "n: ", "n:  "),
        ("frailty/mfi-5/1.0.0/card.yaml", "summary: ", "summary:  "),
    ]:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(old, new, 1) if old in text else text + "\n", encoding="utf-8")
        with pytest.raises(ModelError, match="was changed"):
            registry.load(folder)
        path.write_text(text, encoding="utf-8")
    registry.load(folder)


def test_a_file_that_was_added_or_taken_away_is_found(folder: Path) -> None:
    added = folder / "frailty" / "mfi-5" / "1.0.0" / "evaluation.json"
    added.write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match="is not listed"):
        manifest.verify(folder)
    added.unlink()
    (folder / "frailty" / "mfi-5" / "1.0.0" / "golden_scores.json").unlink()
    with pytest.raises(ModelError, match="is missing"):
        manifest.verify(folder)


def test_without_the_list_nothing_starts(folder: Path) -> None:
    (folder / manifest.NAME).unlink()
    with pytest.raises(ModelError, match=r"manifest\.json cannot be read"):
        registry.load(folder)


def test_which_version_is_told_can_be_changed_without_it(folder: Path) -> None:
    before = manifest.files(folder)
    path = folder / "registry.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert manifest.files(folder) == before
