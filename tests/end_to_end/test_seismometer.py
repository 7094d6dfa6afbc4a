"""What Epic's Seismometer reads of an export is what the record says: operations, events and AUROC of each cohort."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from models_onnx.training import metrics
from tests.cds_service.commands.a_hospital import FIRST, OUTCOME, an_operation, keep, run_on
from tests.conformance.conftest import an_app
from tests.end_to_end import seismometer_reader

pytestmark = pytest.mark.end_to_end
N = 900
GROUPS = ("spine-fusion", "cholecystectomy", "knee-replacement")


def test_seismometer_counts_and_ranks_each_cohort_as_the_record_does(tmp_path: Path) -> None:
    app = an_app(tmp_path, demo=True)
    draw = np.random.default_rng(7)
    cohorts: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    events, others = [], []
    for number in range(N):
        p, age, mode = float(draw.beta(1, 9)), float(draw.integers(30, 95)), ("on", "silent", "hold-out")[number % 3]
        sex, group = ("female", "male", None)[number % 7 % 3], GROUPS[number % 5 % 3]
        happened = bool(draw.random() < p)
        inputs = [
            {"name": name, "status": "used", "value": value} for name, value in (("age", age), ("sex", sex)) if value
        ]
        row = an_operation(p, day=0, mode=mode, procedure_group=group, result={"inputs": inputs})
        (events if happened else others).append((row, happened))
        band = next(name for below, name in ((50, "18-49"), (65, "50-64"), (80, "65-79"), (999, "80+")) if age < below)
        told = {"silent": "silent", "hold-out": "hold-out"}.get(mode, "may have been shown")
        for name in (f"Sex: {sex or 'not recorded'}", f"Age: {band}", f"Procedure group: {group}", f"Withheld: {told}"):
            cohorts[name].append((p, happened))
    followed = {"observed_through": (FIRST + timedelta(days=60)).date()}
    keep(app, events, occurred_on=(FIRST + timedelta(days=9)).date(), **followed)
    keep(app, others, **followed)
    told = run_on(tmp_path, app)("record", "seismometer", "demo", "--outcome", OUTCOME, "--out", str(tmp_path / "out"))
    assert told.exit_code == 0, told.output
    assert f"{N} operations" in told.output
    found = seismometer_reader.aurocs(tmp_path / "out")
    assert {name for name in found if not name.startswith("Model: ")} == set(cohorts)
    for name, pairs in cohorts.items():
        p, y = np.array([one for one, _ in pairs]), np.array([float(happened) for _, happened in pairs])
        assert found[name][:2] == (len(pairs), int(y.sum())), name
        assert found[name][2] == pytest.approx(metrics.auroc(y, p), abs=1e-6), name
