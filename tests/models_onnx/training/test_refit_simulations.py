"""What a refit of one hospital is worth: calibration slopes on 100,000 simulated people who were not fitted on."""

from __future__ import annotations

import numpy as np
import pytest

from models_onnx.training import metrics, refit_recipe
from models_onnx.training.refit_recipe import RefitError
from tests.models_onnx.training.a_simulated_hospital import INPUTS, people

OPERATIONS, JUDGED_ON = 5_000, 100_000


def slopes(runs: int) -> np.ndarray:
    """The slope of each run's model, hospital after hospital; the truth of all is the same, 3 events in 100."""
    judged = people(7, JUDGED_ON)
    found = []
    for run in range(runs):
        of = people(1_000 + run, OPERATIONS)
        made = refit_recipe.fit(of.rows, of.happened, INPUTS, np.arange(OPERATIONS))
        found.append(metrics.calibration(judged.happened, made.estimator.predict_proba(judged.rows)[:, 1])[0])
    return np.array(found)


def test_the_truth_is_a_hospital_with_three_events_in_a_hundred() -> None:
    of = people(7, JUDGED_ON)
    assert of.truth.mean() == pytest.approx(0.03, abs=0.001)
    assert metrics.auroc(of.happened, of.truth) == pytest.approx(0.75, abs=0.01)


def test_slopes_of_a_few_hospitals_lie_about_one() -> None:
    found = slopes(12)
    assert 0.9 < found.mean() < 1.1
    assert (np.abs(found - 1) < 0.2).sum() >= 10


@pytest.mark.long
def test_the_mean_slope_of_200_hospitals_is_one_and_nine_in_ten_lie_near_it() -> None:
    found = slopes(200)
    print(f"mean slope {found.mean():.3f}, {100 * np.mean(np.abs(found - 1) <= 0.2):.1f} % within 0.8 to 1.2")
    assert 0.95 <= found.mean() <= 1.05
    assert np.mean((found >= 0.8) & (found <= 1.2)) >= 0.9


def test_without_shrinkage_the_slopes_would_be_too_low(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulation can fail: hardly any penalty, and no factor."""
    monkeypatch.setattr(refit_recipe, "PENALTY", 0.01)
    monkeypatch.setattr(refit_recipe, "_shrinkage", lambda *_: 1.0)
    assert slopes(8).mean() < 0.93


def test_inputs_that_tell_nothing_make_no_model() -> None:
    of = people(1, 4_000)
    draw = np.random.default_rng(4711)  # of another stream than the people
    with pytest.raises(RefitError, match="do not tell these operations apart"):
        refit_recipe.out_of_fold(of.rows, (draw.random(4_000) < 0.04).astype(float), INPUTS, np.arange(4_000))
