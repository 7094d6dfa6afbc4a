"""The folder of a site's own models: whole or not at all, kept to its owner, and back to what it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from models_onnx.added import shelf
from models_onnx.added.shelf import AddedGate
from models_onnx.added_card import AddedCard
from models_onnx.model_card import ModelError
from tests.models_onnx.added import graphs


def accepting(recorded: list[tuple[str, str]] | None = None) -> AddedGate:
    kept: list[tuple[str, str]] = [] if recorded is None else recorded
    return AddedGate(accept=lambda _: None, record=lambda name, change: kept.append((name, change)))


def content(site: Path) -> dict[str, bytes]:
    return {path.relative_to(site).as_posix(): path.read_bytes() for path in sorted(site.rglob("*")) if path.is_file()}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "site"


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return graphs.folder(tmp_path / "first", graphs.logistic())


@pytest.fixture
def second(tmp_path: Path) -> Path:
    return graphs.folder(tmp_path / "second", graphs.crossed(), version="1.1.0")


def version(site: Path) -> str:
    return shelf.load(site).by_name["bleeding"].card.version


def test_a_folder_that_is_empty_holds_no_model(site: Path) -> None:
    site.mkdir()
    assert shelf.load(None).by_name == shelf.load(site).by_name == {}
    assert shelf.load(site).digest == ""


def test_a_folder_that_is_not_there_or_is_another_is_no_folder_without_models(site: Path) -> None:
    with pytest.raises(ModelError, match="no such folder of models"):
        shelf.load(site)
    site.mkdir()
    (site / "tenant.yaml").write_text("id: x", encoding="utf-8")
    with pytest.raises(ModelError, match=r"holds no manifest\.json"):
        shelf.load(site)


def test_what_is_added_is_loaded_and_only_its_owner_reads_it(site: Path, first: Path) -> None:
    recorded: list[tuple[str, str]] = []
    card, trial = shelf.add(site, first, accepting(recorded))
    assert recorded == [("bleeding", "none -> 1.0.0")]
    loaded = shelf.load(site)
    assert loaded.by_name["bleeding"].card == card
    assert loaded.by_name["bleeding"].sha256 == hashlib.sha256((first / "model.onnx").read_bytes()).hexdigest()
    missing = [one for one in trial.golden.cases if None in one.inputs.values()]
    assert {one.expected.status for one in missing} == {"range"}
    assert len(missing) > len(card.inputs)
    modes = {path.name: path.stat().st_mode & 0o777 for path in site.rglob("*")}
    assert set(modes) == {"bleeding", "1.0.0", "manifest.json", "model.yaml", "model.onnx", "golden_scores.json"}
    assert {mode for name, mode in modes.items() if "." in name[1:] and name != "1.0.0"} == {0o600}
    assert modes["bleeding"] == modes["1.0.0"] == 0o700


def test_removing_gives_the_state_before(site: Path, first: Path, second: Path, tmp_path: Path) -> None:
    other = graphs.folder(tmp_path / "other", graphs.logistic(), name="other")
    for before in ([], [other]):
        for folder in before:
            shelf.add(site, folder, accepting())
        was = content(site) if site.exists() else {}
        shelf.add(site, first, accepting())
        shelf.add(site, second, accepting())
        shelf.remove(site, "bleeding", accepting())
        assert content(site) == was
        assert [path.name for path in site.iterdir() if path.name == "bleeding"] == []


def test_a_new_version_keeps_the_old_one_and_rolling_back_gives_the_state_before(
    site: Path, first: Path, second: Path
) -> None:
    shelf.add(site, first, accepting())
    was = content(site)
    shelf.add(site, second, accepting())
    assert version(site) == "1.1.0"
    recorded: list[tuple[str, str]] = []
    assert shelf.rollback(site, "bleeding", accepting(recorded)) == ("1.1.0", "1.0.0")
    assert recorded == [("bleeding", "1.1.0 -> 1.0.0")]
    assert (version(site), content(site)) == ("1.0.0", was)
    with pytest.raises(ModelError, match="no version before it"):
        shelf.rollback(site, "bleeding", accepting())
    shelf.add(site, second, accepting())
    assert version(site) == "1.1.0"


def test_a_version_is_added_once_and_a_model_that_is_not_there_is_named(site: Path, first: Path) -> None:
    shelf.add(site, first, accepting())
    with pytest.raises(ModelError, match=r"1\.0\.0: it is there already"):
        shelf.add(site, first, accepting())
    for change in (shelf.remove, shelf.rollback):
        with pytest.raises(ModelError, match="other: no such model was added; there are bleeding"):
            change(site, "other", accepting())


def swapped(path: Path) -> None:
    (path / "bleeding/1.0.0/model.onnx").write_bytes(graphs.crossed())


def edited(path: Path) -> None:
    card = path / "bleeding/1.0.0/model.yaml"
    card.write_text(card.read_text(encoding="utf-8").replace("high: 100", "high: 110"), encoding="utf-8")


def gone(path: Path) -> None:
    (path / "bleeding/1.0.0/golden_scores.json").unlink()


def beside(path: Path) -> None:
    (path / "bleeding/1.0.0/more.bin").write_bytes(b"x")


def copied_in(path: Path) -> None:
    folder = path / "bleeding/2.0.0"
    folder.mkdir()
    for file in (path / "bleeding/1.0.0").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())


def twice(path: Path) -> None:
    text = (path / "manifest.json").read_text(encoding="utf-8")
    (path / "manifest.json").write_text(text.replace('"models": {', '"models": {}, "models": {'), encoding="utf-8")


def a_path(path: Path) -> None:
    text = (path / "manifest.json").read_text(encoding="utf-8")
    (path / "manifest.json").write_text(text.replace('"in_force": "1.0.0"', '"in_force": "../../x"'), encoding="utf-8")


def no_manifest(path: Path) -> None:
    (path / "manifest.json").unlink()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (swapped, r"model\.onnx was changed"),
        (edited, r"model\.yaml was changed"),
        (gone, r"golden_scores\.json is missing"),
        (beside, r"more\.bin was not added"),
        (copied_in, r"2\.0\.0/golden_scores\.json was not added"),
        (twice, "is given twice"),
        (a_path, "names what is no model"),
        (no_manifest, r"holds no manifest\.json"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_a_folder_that_is_not_as_it_was_made_is_not_served(
    site: Path, first: Path, change: Callable[[Path], None], why: str
) -> None:
    shelf.add(site, first, accepting())
    change(site)
    with pytest.raises(ModelError, match=why):
        shelf.load(site)


def _listed_anew(site: Path) -> None:
    """As somebody would who changes a file and its sha256 with it."""
    manifest = json.loads((site / "manifest.json").read_bytes())
    manifest["files"] = {name: hashlib.sha256((site / name).read_bytes()).hexdigest() for name in manifest["files"]}
    (site / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def test_a_graph_that_was_swapped_with_its_sha256_fails_its_golden_scores(site: Path, first: Path) -> None:
    shelf.add(site, first, accepting())
    swapped(site)
    _listed_anew(site)
    with pytest.raises(ModelError, match="golden score 'example 1' is not reproduced"):
        shelf.load(site)
    (site / "bleeding/1.0.0/model.onnx").write_bytes(graphs.graph([graphs.node("Loop", ["X"], ["p"])]))
    _listed_anew(site)
    with pytest.raises(ModelError, match="operator Loop"):
        shelf.load(site)


def test_a_change_that_nobody_accounts_for_or_that_is_refused_changes_nothing(
    site: Path, first: Path, second: Path, tmp_path: Path
) -> None:
    shelf.add(site, first, accepting())
    was = content(site)

    def fails(*_: object) -> None:
        raise ModelError("no")

    refusing = (
        AddedGate(accept=fails, record=lambda *_: None),
        AddedGate(accept=lambda _: None, record=fails),
    )
    for gate in refusing:
        with pytest.raises(ModelError, match="no"):
            shelf.add(site, second, gate)
        assert content(site) == was
    bad = graphs.folder(tmp_path / "bad", graphs.logistic(), version="3.0.0", examples=graphs.NOT_ASKED["examples"])
    with pytest.raises(ModelError, match="look at the order"):
        shelf.add(site, bad, accepting())
    assert content(site) == was
    for change in (shelf.remove, shelf.rollback):
        with pytest.raises(ModelError):
            change(site, "bleeding", refusing[1])
        assert content(site) == was


def test_what_was_cut_short_can_be_added_again(site: Path, first: Path, second: Path) -> None:
    shelf.add(site, first, accepting())
    copied_in(site)
    (site / "bleeding/2.0.0").rename(site / "bleeding/1.1.0")
    with pytest.raises(ModelError, match="was not added"):
        shelf.load(site)
    shelf.add(site, second, accepting())
    assert version(site) == "1.1.0"


def test_a_validation_report_is_a_file_with_the_sha256_that_is_named(site: Path, tmp_path: Path) -> None:
    report = b"AUROC 0.80 (0.75 to 0.85), 312 operations"
    named = {"report": "report.txt", "sha256": hashlib.sha256(report).hexdigest()}
    folder = graphs.folder(tmp_path / "validated", graphs.logistic(), validation=named)
    with pytest.raises(ModelError, match=r"report\.txt: cannot be read"):
        shelf.add(site, folder, accepting())
    (folder / "report.txt").write_bytes(report + b"!")
    with pytest.raises(ModelError, match="another file than sha256 says"):
        shelf.add(site, folder, accepting())
    (folder / "report.txt").write_bytes(report)
    card: AddedCard = shelf.add(site, folder, accepting())[0]
    assert card.validation is not None
    assert (site / "bleeding/1.0.0/report.txt").read_bytes() == report
    (site / "bleeding/1.0.0/report.txt").write_bytes(b"better")
    with pytest.raises(ModelError, match=r"report\.txt was changed"):
        shelf.load(site)


def test_only_so_many_models_lie_in_a_folder(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "MOST_MODELS", 1)
    shelf.add(site, graphs.folder(tmp_path / "one", graphs.logistic(), name="one"), accepting())
    with pytest.raises(ModelError, match="holds 1 models, the most"):
        shelf.add(site, graphs.folder(tmp_path / "two", graphs.logistic(), name="two"), accepting())
