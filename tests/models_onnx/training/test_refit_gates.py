"""The gates of R-F09: each holds the challenger back for its own reason, and none lets it through unjudged."""

from __future__ import annotations

import numpy as np
import pytest

from models_onnx.training.metrics import logit
from models_onnx.training.penalised import logistic
from models_onnx.training.refit_gates import GATES, Judged, SideBySide, judge
from models_onnx.training.refit_plan import Gates

N = 8_000
SET = Gates(thresholds=(0.05, 0.1))
DRAW = np.random.default_rng(20261129)
TRUTH = logistic(DRAW.normal(-3, 1, N))
HAPPENED = (DRAW.random(N) < TRUTH).astype(float)
SEX = np.array(["female", "male"], dtype=object)[DRAW.integers(0, 2, N)]
NOISY = logistic(logit(TRUTH) + DRAW.normal(0, 1, N))


def judged(challenger: np.ndarray, champion: np.ndarray = TRUTH, gates: Gates = SET) -> Judged:
    groups = {"sex": SEX, "site": np.array(["one"] * (N - 30) + ["two"] * 30, dtype=object)}
    of = SideBySide(happened=HAPPENED, challenger=challenger, champion=champion, named="death 1.0.0", groups=groups)
    return judge(of, gates)


def held_back_by(found: Judged) -> list[str]:
    return [one.gate for one in found.gates if one.passed is not True]


def test_the_truth_beside_a_worse_champion_passes_every_gate() -> None:
    found = judged(TRUTH, NOISY)
    assert found.passed, found
    assert [one.gate for one in found.gates] == list(GATES)
    assert found.champion == "death 1.0.0"


def test_a_challenger_that_is_the_champion_is_not_worse_than_itself() -> None:
    assert judged(TRUTH, TRUTH).passed


def test_a_challenger_that_ranks_worse_is_held_back() -> None:
    assert {"auroc", "subgroups"} <= set(held_back_by(judged(NOISY)))


def test_a_challenger_that_foresees_too_few_events_is_held_back() -> None:
    found = judged(logistic(logit(TRUTH) - 0.4))
    assert "observed-to-expected" in held_back_by(found)
    assert "auroc" not in held_back_by(found)


def test_a_challenger_that_is_worse_in_one_subgroup_alone_is_held_back_and_the_subgroup_named() -> None:
    worse = np.where(SEX == "male", NOISY * HAPPENED[SEX == "male"].sum() / NOISY[SEX == "male"].sum(), TRUTH)
    found = judged(worse)
    (gate,) = [one for one in found.gates if one.gate == "subgroups"]
    assert gate.passed is False
    assert "sex male" in gate.told
    assert "sex female" not in gate.told


def test_a_challenger_whose_decisions_are_worse_is_held_back() -> None:
    everybody = np.where(TRUTH > 0.02, np.maximum(TRUTH, 0.11), TRUTH)
    assert "decision-curve" in held_back_by(judged(everybody))


def test_a_subgroup_too_small_to_be_judged_is_named_and_counts_under_ten_are_not_told() -> None:
    assert judged(TRUTH, NOISY).not_judged == ("site two: 30 operations",)


@pytest.mark.parametrize("known", [0, 200])
def test_few_events_where_both_spoke_leave_every_gate_unjudged_and_so_not_passed(known: int) -> None:
    champion = np.where(np.arange(N) < known, TRUTH, np.nan)
    found = judged(TRUTH, champion)
    assert [one.passed for one in found.gates] == [None] * 4
    assert not found.passed


def test_ties_of_chance_do_not_hold_a_challenger_back_too_often() -> None:
    """Two models that are as good as each other: of 40 pairs most pass subgroups and decision curve."""
    draw = np.random.default_rng(5)
    passed = 0
    for _ in range(40):
        a, b = (logistic(logit(TRUTH) + draw.normal(0, 0.1, N)) for _ in range(2))
        passed += not {"subgroups", "decision-curve"} & set(held_back_by(judged(a, b)))
    assert passed >= 30
