"""Files of a simulated hospital's operations, and a plan of a refit on them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import yaml

from models_onnx.learning_columns import INPUT, REQUIRED
from models_onnx.training import refit_plan
from models_onnx.training.refit_plan import RefitPlan
from tests.models_onnx.training.a_simulated_hospital import INPUTS, people

FIRST = date(2026, 1, 1)
GROUPS = ("lumbar-fusion", "knee-replacement", "hip-replacement")
Change = Callable[[int, dict[str, Any]], None]

PLAN: dict[str, Any] = {
    "name": "infection",
    "version": "1.0.0",
    "title": "Surgical-site infection, our hospital",
    "made_by": "Data science, our hospital",
    "outcome": "surgical-site-infection",
    "inputs": [msgspec.to_builtins(one) for one in INPUTS],
    "first_day": FIRST,
    "last_day": FIRST + timedelta(days=149),
    "learn_from": "all",
    "sites": [
        {"site": "our-hospital", "agreement": "DUA 12", "approved_by": "Data protection", "date": date(2025, 12, 1)}
    ],
    "approved_by": ["A. Jones", "B. Smith"],
    "gates": {"thresholds": [0.03, 0.06]},
    "why": "No public rows of this outcome exist.",
    "benefits": ["Patients at high risk are seen before the operation."],
    "risks": ["A low figure may be taken as all clear."],
}


def unchanged(_: int, __: dict[str, Any]) -> None:
    """The file as it was made."""


def a_file(path: Path, *, seed: int = 1, n: int = 6_000, first: date = FIRST, change: Change = unchanged) -> Path:
    """`n` operations over 150 days; `change` is given each record with its number, and may change it."""
    of = people(seed, n)
    with path.open("w", encoding="utf-8", newline="") as file:
        columns = [*REQUIRED, "group.sex", *(INPUT + one.name for one in INPUTS)]
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for number in range(n):
            record = _record(number, n, first) | {"occurred": int(of.happened[number])}
            record |= {INPUT + one.name: _told(one, of.rows[number, place]) for place, one in enumerate(INPUTS)}
            record["group.sex"] = record["input.sex"]
            change(number, record)
            writer.writerow(record)
    return path


def _record(number: int, n: int, first: date) -> dict[str, Any]:
    return {
        "operation": f"o-{number}",
        "person": number,
        "site": "our-hospital",
        "day": first + timedelta(days=number * 150 // n),
        "procedure_group": GROUPS[number % len(GROUPS)],
        "withheld": "hold-out" if number % 5 == 0 else "",
        "permitted": 1,
        "source": "register",
        "outcome": "surgical-site-infection",
        "champion": "",
        "champion_probability": "",
    }


def _told(entry: Any, number: float) -> str:
    if np.isnan(number):
        return ""
    if entry.kind == "category":
        return str(entry.categories[int(number)])
    return str(bool(number)).lower() if entry.kind == "yes-no" else f"{number:g}"


def a_plan(folder: Path, **other: Any) -> tuple[Path, RefitPlan]:
    """The plan in a file, and as it is read."""
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(PLAN | other, sort_keys=False), encoding="utf-8")
    return path, refit_plan.read_plan(path)
