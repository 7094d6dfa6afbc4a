"""A refit: what it refuses, what it writes, and how a challenger becomes a version that may be told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models_onnx import added_card
from models_onnx.added import shelf
from models_onnx.added_model import AddedModel
from models_onnx.training import refit_folder, refit_run
from models_onnx.training.__main__ import main
from models_onnx.training.operations_file import OperationsFileError
from models_onnx.training.refit_recipe import RefitError
from tests.models_onnx.training.a_refit import FIRST, a_file, a_plan
from tests.models_onnx.training.a_simulated_hospital import INPUTS, people

OPEN = shelf.AddedGate(accept=lambda _: None, record=lambda _, __: None)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("refit")
    path, plan = a_plan(folder)
    refit_run.refit(path, [a_file(folder / "operations.csv")], folder / "infection", sha256=plan.sha256)
    return folder


def test_a_refit_is_a_challenger_that_a_site_can_add(made: Path, tmp_path: Path) -> None:
    card, found = shelf.add(tmp_path / "site", made / "infection", OPEN)
    assert card.challenger
    assert card.contributions.method == "additive"
    assert len(found.golden.cases) > len(INPUTS)
    kept = shelf.load(tmp_path / "site").by_name["infection"]
    assert kept.card == added_card.read_card(made / "infection")


def test_what_is_missing_is_a_range_and_what_is_only_declared_is_always_missing(made: Path, tmp_path: Path) -> None:
    shelf.add(tmp_path / "site", made / "infection", OPEN)
    model: AddedModel = shelf.load(tmp_path / "site").by_name["infection"]
    known = {**model.card.contributions.background[0], "procedure_group": "lumbar-fusion"}
    assert model.answer(known).score.status == "computed"
    asked = model.answer({name: value for name, value in known.items() if name not in ("levels", "wound_class")})
    assert asked.score.status == "range"
    assert set(asked.score.depends_on) == {"levels", "wound_class"}
    elsewhere = model.answer({**known, "procedure_group": "craniotomy"})
    assert elsewhere.score.reason == "operation-out-of-scope"


def test_the_graph_says_what_the_fit_says_with_values_missing(made: Path) -> None:
    _, plan = a_plan(made)
    found = refit_folder.read_made(made / "infection", plan)
    assert found.parity <= 1e-6
    assert found.missing["haemoglobin"] > 1_000
    rows = people(9, 500).rows
    assert np.isnan(rows).any()
    assert np.isfinite(refit_folder.predicted(made / "infection", rows)).all()


def test_the_card_names_verification_bias_and_what_may_have_been_treated(made: Path) -> None:
    limits = " ".join(added_card.read_card(made / "infection").limits)
    assert "Verification bias: Found where somebody looked for it" in limits
    assert "register (6,000)" in limits
    assert "A figure may have been shown of 4,800 of the operations" in limits
    change_plan = (made / "infection" / "change-plan.md").read_text(encoding="utf-8")
    for part in ("1. Description of modifications", "2. Modification protocol", "3. Impact assessment"):
        assert f"## {part}" in change_plan


def few(number: int, record: dict[str, Any]) -> None:
    """99 events, the first of which is the first operation."""
    record["occurred"] = int(number % 60 == 0 and number < 99 * 60)


def test_ninety_nine_events_are_refused_and_a_hundred_are_not(tmp_path: Path) -> None:
    path, plan = a_plan(tmp_path)
    file = a_file(tmp_path / "few.csv", change=few)
    with pytest.raises(RefitError, match=r"6000 operations with 99 events: at least 100 events"):
        refit_run.refit(path, [file], tmp_path / "out", sha256=plan.sha256)
    assert not (tmp_path / "out").exists()


def another_site(number: int, record: dict[str, Any]) -> None:
    record["site"] = "elsewhere" if number == 7 else record["site"]


def not_permitted(number: int, record: dict[str, Any]) -> None:
    record["permitted"] = int(number >= 1_000)


def test_a_site_without_agreement_refuses_all_and_an_operation_without_is_left_out(tmp_path: Path) -> None:
    path, plan = a_plan(tmp_path)
    with pytest.raises(RefitError, match="site elsewhere: the plan has no agreement and no approval"):
        refit_run.refit(path, [a_file(tmp_path / "a.csv", change=another_site)], tmp_path / "out", sha256=plan.sha256)
    found = refit_run.refit(
        path, [a_file(tmp_path / "b.csv", change=not_permitted)], tmp_path / "out", sha256=plan.sha256
    )
    assert found.left_out["use not permitted"] == 1_000
    assert found.n == 5_000


def test_it_learns_from_the_silent_hold_out_alone_where_the_plan_says_so(tmp_path: Path) -> None:
    path, plan = a_plan(tmp_path, learn_from="withheld")
    file = a_file(tmp_path / "a.csv", n=25_000)
    found = refit_run.refit(path, [file], tmp_path / "out", sha256=plan.sha256)
    assert found.n == found.withheld == 5_000
    assert found.left_out["somebody may have been shown a figure"] == 20_000
    limits = added_card.read_card(tmp_path / "out").limits
    assert "Nobody was shown a figure of the operations that it was fitted on." in limits


def test_a_plan_that_was_changed_is_another_plan(made: Path, tmp_path: Path) -> None:
    path, plan = a_plan(tmp_path, gates={"thresholds": [0.05]})
    _, approved = a_plan(made)
    with pytest.raises(RefitError, match="another plan than the one approved"):
        refit_run.refit(path, [made / "operations.csv"], tmp_path / "out", sha256=approved.sha256)
    with pytest.raises(RefitError, match="another plan than the one approved"):
        refit_run.judge(made / "infection", [made / "operations.csv"], sha256=plan.sha256)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"approved_by": ["A. Jones", "a. jones "]}, "two people approve the plan"),
        ({"outcome": "happiness"}, "outcome: one of 30-day-death"),
        ({"sites": []}, "sites: each whose operations are learned from"),
        ({"gates": {"thresholds": []}}, "gates: thresholds"),
        ({"gates": {"thresholds": [0.1], "auroc_loss": 0.05}}, "auroc_loss"),
        ({"gates": {"thresholds": [0.1], "least_events": 20}}, "least_events"),
        ({"inputs": [{"name": "age", "kind": "number", "unit": "years"}]}, "age: low and high"),
    ],
)
def test_a_plan_that_is_not_whole_is_refused_in_words(tmp_path: Path, other: dict[str, Any], told: str) -> None:
    with pytest.raises(RefitError, match=told):
        a_plan(tmp_path, **other)


def test_what_it_was_fitted_on_does_not_judge_it(made: Path) -> None:
    _, plan = a_plan(made)
    with pytest.raises(RefitError, match="no operation may be used: 6000 out of time"):
        refit_run.judge(made / "infection", [made / "operations.csv"], sha256=plan.sha256)


def test_on_later_operations_it_may_be_told_by_two_people(made: Path, tmp_path: Path) -> None:
    _, plan = a_plan(made)
    later = a_file(tmp_path / "later.csv", n=20_000, seed=3, first=FIRST + timedelta(days=200))
    judged, _ = refit_run.judge(made / "infection", [later], sha256=plan.sha256)
    assert [one.passed for one in judged.gates] == [True] * 4
    with pytest.raises(RefitError, match="two different people"):
        refit_run.promotable(made / "infection", tmp_path / "told", judged, ("A. Jones", "A. Jones"))
    card = refit_run.promotable(made / "infection", tmp_path / "told", judged, ("A. Jones", "B. Smith"))
    assert (card.version, card.challenger) == ("1.0.1", False)
    site = tmp_path / "site"
    shelf.add(site, made / "infection", OPEN)
    shelf.add(site, tmp_path / "told", OPEN)
    assert shelf.load(site).by_name["infection"].card.validation is not None
    assert shelf.rollback(site, "infection", OPEN) == ("1.0.1", "1.0.0")
    assert shelf.load(site).by_name["infection"].card.challenger


def test_a_command_says_what_held_it_back(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, plan = a_plan(made)
    later = a_file(tmp_path / "later.csv", n=900, seed=2, first=FIRST + timedelta(days=200))
    words = ["judge", str(made / "infection"), str(later), "--plan-sha256", plan.sha256]
    assert main([*words, "--into", str(tmp_path / "told")]) == 3
    assert "100 are needed to judge" in capsys.readouterr().out
    assert not (tmp_path / "told").exists()
    assert main(["plan", str(made / "plan.yaml")]) == 0
    assert f"sha256 of the plan: {plan.sha256}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("day", "01.02.2026", "line 2, column day: a day as"),
        ("occurred", "perhaps", "line 2, column occurred: one of"),
        ("input.age", "old", "line 2, column input.age: not a number"),
        ("input.copd", "2", "line 2, column input.copd: one of"),
        ("outcome", "30-day-death", "line 2, column outcome: another than surgical-site-infection"),
        ("champion_probability", "1.5", "line 2, column champion_probability: not between 0 and 1"),
    ],
)
def test_what_cannot_be_read_is_told_by_line_and_column_never_by_its_value(
    tmp_path: Path, column: str, value: str, told: str
) -> None:
    def change(number: int, record: dict[str, Any]) -> None:
        record[column] = value if number == 0 else record[column]

    path, plan = a_plan(tmp_path)
    file = a_file(tmp_path / "a.csv", n=5, change=change)
    with pytest.raises(OperationsFileError, match=told) as found:
        refit_run.refit(path, [file], tmp_path / "out", sha256=plan.sha256)
    assert value not in str(found.value).replace("2026-11-29", "").partition("column")[2] or value in (
        "2",
        "30-day-death",
    )


def test_two_sites_learn_together_where_each_approved(tmp_path: Path) -> None:
    def second(_: int, record: dict[str, Any]) -> None:
        record["site"] = "second"

    own = {"agreement": "DUA 12", "approved_by": "Data protection", "date": FIRST}
    path, plan = a_plan(tmp_path, sites=[{"site": "our-hospital", **own}, {"site": "second", **own}])
    files = [a_file(tmp_path / "a.csv", n=3_000), a_file(tmp_path / "b.csv", n=3_000, seed=2, change=second)]
    found = refit_run.refit(path, files, tmp_path / "out", sha256=plan.sha256)
    assert found.n == 6_000
    assert len(found.files_sha256) == 2
    assert "Fitted at our-hospital, second" in " ".join(added_card.read_card(tmp_path / "out").limits)
