"""Invented hospitals with a known truth: who is operated on, what is recorded of them, and how likely an event is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models_onnx.added_card import AddedInput
from models_onnx.training.penalised import Matrix, logistic

INPUTS = (
    AddedInput(name="age", kind="number", unit="years", low=18, high=100, required=True),
    AddedInput(name="asa_class", kind="number", low=1, high=5, values=(1, 2, 3, 4)),
    AddedInput(name="haemoglobin", kind="number", unit="g/dL", low=2, high=25, values=(9, 11, 13, 15)),
    AddedInput(name="bmi", kind="number", unit="kg/m2", low=10, high=80, values=(20, 25, 30, 40)),
    AddedInput(name="sex", kind="category", categories=("female", "male")),
    AddedInput(name="diabetes", kind="yes-no"),
    AddedInput(name="heart_failure", kind="yes-no"),
    AddedInput(name="copd", kind="yes-no"),
    AddedInput(
        name="wound_class",
        kind="category",
        categories=("clean", "clean-contaminated", "contaminated", "dirty"),
        declared=True,
    ),
    AddedInput(name="levels", kind="number", low=0, high=12, values=(1, 2, 3, 5), declared=True),
)
# Of a hospital in which 3 of 100 have an event.
INTERCEPT = -4.03


@dataclass(frozen=True)
class Simulated:
    """Rows as the recipe reads them, whether it happened, and the true probability."""

    rows: Matrix
    happened: Matrix
    truth: Matrix


def people(seed: int, n: int, *, strength: float = 1.0) -> Simulated:
    """`n` people; `strength` 1: the truth has an AUROC of about 0.76. A fifth of what was known is not recorded."""
    draw = np.random.default_rng(seed)
    age = draw.normal(60, 15, n).clip(18, 95).round()
    asa = (1.6 + age / 60 + draw.normal(0, 0.7, n)).round().clip(1, 5)
    haemoglobin = (13.4 - 0.02 * (age - 60) - 0.3 * (asa - 2) + draw.normal(0, 1.6, n)).clip(6, 18).round(1)
    bmi = draw.normal(28, 5, n).clip(15, 60).round(1)
    sex, copd = draw.integers(0, 2, n), draw.random(n) < 0.1
    diabetes, failing = draw.random(n) < 0.08 + 0.04 * (asa - 1), draw.random(n) < 0.01 + 0.02 * (asa - 1)
    wound, levels = (
        draw.choice(4, n, p=(0.8, 0.12, 0.05, 0.03)),
        draw.choice(7, n, p=(0.2, 0.4, 0.2, 0.1, 0.05, 0.03, 0.02)),
    )
    of_wound = np.array([0.0, 0.3, 0.6, 1.0])[wound]
    risk = 0.035 * (age - 60) + 0.55 * (asa - 2.6) - 0.15 * (haemoglobin - 13.4) + 0.2 * diabetes + 0.6 * failing
    risk = risk + 0.3 * copd + 0.15 * sex + of_wound - 0.15 + 0.12 * (levels - 1.5)
    truth = logistic(INTERCEPT + (1 - strength) * 0.4 + strength * risk)
    rows = np.column_stack([age, asa, haemoglobin, bmi, sex, diabetes, failing, copd, wound, levels]).astype(float)
    for column, share in ((1, 0.15), (2, 0.3), (3, 0.1), (8, 0.25), (9, 0.2)):
        rows[draw.random(n) < share, column] = np.nan
    return Simulated(rows, (draw.random(n) < truth).astype(float), truth)
