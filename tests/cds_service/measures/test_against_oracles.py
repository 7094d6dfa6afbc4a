"""The measures equal scikit-learn, dcurves and fairlearn to 1e-9 (record_oracles.py has how they were asked)."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score

from cds_service.measures import agreement, by_group, discrimination, net_benefit
from tests.cds_service.measures.record_oracles import FILE, FLOOR, SEEDS, THRESHOLDS, cases

SAID = json.loads(FILE.read_text(encoding="utf-8"))
RATES = ("marked", "sensitivity", "false_positive_rate")
close = pytest.approx


@pytest.mark.parametrize("seed", SEEDS)
def test_discrimination_and_brier_score_equal_scikit_learn(seed: int) -> None:
    happened, predicted, _ = cases(seed)
    for said in (SAID["seeds"][str(seed)], {"auroc": roc_auc_score(happened, predicted)}):
        assert discrimination.auroc(happened, predicted).value == close(said["auroc"], abs=1e-9)
    assert agreement.brier(happened, predicted).value == close(brier_score_loss(happened, predicted), abs=1e-9)
    assert SAID["seeds"][str(seed)]["brier"] == close(brier_score_loss(happened, predicted), abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_slope_equals_an_unpenalised_regression_of_scikit_learn(seed: int) -> None:
    happened, predicted, _ = cases(seed)
    z = agreement.logit(predicted)[:, None]
    fitted = LogisticRegression(C=np.inf, tol=1e-12, solver="newton-cholesky").fit(z, happened)
    assert agreement.calibration(happened, predicted).slope.value == close(float(fitted.coef_[0, 0]), abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_decision_curve_equals_dcurves(seed: int) -> None:
    happened, predicted, _ = cases(seed)
    found = net_benefit.curve(happened, predicted, THRESHOLDS)
    assert [one.model.value for one in found] == close(SAID["seeds"][str(seed)]["net_benefit"], abs=1e-9)
    assert [one.everyone for one in found] == close(SAID["seeds"][str(seed)]["everyone"], abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_rates_of_each_group_equal_fairlearn(seed: int) -> None:
    happened, predicted, group = cases(seed)
    marked, names = (predicted >= FLOOR).astype(float), np.asarray(group)
    for name, said in SAID["seeds"][str(seed)]["by_group"].items():
        found = by_group.rates(happened[names == name], marked[names == name])
        assert {one: getattr(found, one).value for one in RATES} == close(said, abs=1e-9)


def test_where_there_is_no_figure_none_is_made_up() -> None:
    none, some = np.zeros(20), np.linspace(0.1, 0.4, 20)
    assert discrimination.auroc(none, some).value is None
    assert agreement.calibration(none, some).slope.value is None
    assert agreement.calibration(np.array([0.0, 1.0] * 10), np.full(20, 0.5)).slope.value is None
    assert agreement.observed_to_expected(none, some) == agreement.Figure(0.0)
    assert agreement.groups(none, some, least=1) == ()
