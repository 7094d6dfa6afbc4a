"""What scikit-learn, dcurves and fairlearn say of invented cases, recorded in oracles.json.

dcurves needs pandas, statsmodels, lifelines and matplotlib, which nothing here wants: so both stand in an environment
of their own, and the tests compare with what is recorded. To record anew:
`python3 -m venv E && E/bin/pip install dcurves==1.1.7 fairlearn==0.15.0 && E/bin/python
tests/cds_service/measures/record_oracles.py`.
"""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_name("oracles.json")
SEEDS = (1, 2, 3, 4, 5)
THRESHOLDS = (0.01, 0.03, 0.08, 0.155, 0.27, 0.41)
FLOOR = 0.16


def cases(seed: int, n: int = 400) -> tuple[Any, Any, list[str]]:
    """Outcomes, predictions with ties, and groups."""
    random = np.random.default_rng(seed)
    predicted = np.round(1 / (1 + np.exp(-random.normal(-2 + 0.2 * seed, 1.0, n))), 3)
    happened = (random.random(n) < predicted).astype(float)
    return happened, predicted, [f"group-{k}" for k in random.integers(0, 4, n)]


def main() -> None:
    import dcurves  # type: ignore[import-not-found,unused-ignore]
    import pandas as pd
    from fairlearn import metrics  # type: ignore[import-not-found,unused-ignore]
    from sklearn.metrics import brier_score_loss, roc_auc_score

    said: dict[str, Any] = {
        "versions": {one: importlib.metadata.version(one) for one in ("scikit-learn", "dcurves", "fairlearn")},
        "seeds": {},
    }
    for seed in SEEDS:
        y, p, group = cases(seed)
        table = dcurves.dca(
            data=pd.DataFrame({"y": y.astype(int), "p": p}), outcome="y", modelnames=["p"], thresholds=[*THRESHOLDS]
        )
        marked = (p >= FLOOR).astype(int)
        frame = metrics.MetricFrame(
            metrics={
                "marked": metrics.selection_rate,
                "sensitivity": metrics.true_positive_rate,
                "false_positive_rate": metrics.false_positive_rate,
            },
            y_true=y,
            y_pred=marked,
            sensitive_features=group,
        )
        said["seeds"][str(seed)] = {
            "auroc": float(roc_auc_score(y, p)),
            "brier": float(brier_score_loss(y, p)),
            "net_benefit": table[table.model == "p"].net_benefit.tolist(),
            "everyone": table[table.model == "all"].net_benefit.tolist(),
            "by_group": json.loads(frame.by_group.to_json(orient="index", double_precision=15)),
            "difference": json.loads(frame.difference().to_json(double_precision=15)),
            "ratio": json.loads(frame.ratio().to_json(double_precision=15)),
        }
    FILE.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
