"""A tenant's operations as a folder that Seismometer 0.5 opens: predictions, long events, cohorts and its settings.

Only operations whose outcome is known whole are in it: Seismometer takes an operation without an event for one without
the outcome, and what nobody knows yet would count as good. `Score` is what the model in force said before the
operation; which one is a cohort of its own. https://epic-open-source.github.io/seismometer/
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec

from cds_service.follow_up.maturity import UNTIL_DISCHARGE_DAYS
from cds_service.trust import private_files

ID, TIME, SCORE = "operation", "day", "Score"
NOT_RECORDED = "not recorded"
# Column → as it is called; Seismometer leaves out what has 10 operations or fewer.
COHORTS = {
    "group.sex": "Sex",
    "group.age_band": "Age",
    "procedure_group": "Procedure group",
    "champion": "Model",
    "withheld": "Withheld",
}
_TYPES = {ID: "object", TIME: "datetime64[ns]", SCORE: "float"}


class Written(msgspec.Struct, frozen=True):
    """How many operations stand in the folder, and how many had no figure."""

    operations: int
    without_figure: int


def write(folder: Path, rows: Iterable[Mapping[str, Any]], *, outcome: str, horizon_days: int | None) -> Written:
    """The folder, which may not be there yet, from rows of learning_cases.py; readable by its owner alone."""
    every = list(rows)
    scored = [row for row in every if row["champion"]]
    folder.mkdir(mode=0o700, parents=True)
    predictions = [_prediction(row) for row in scored]
    events = [_event(row, outcome, horizon_days) for row in scored]
    _csv(folder / "predictions.csv", [ID, TIME, SCORE, *COHORTS], predictions)
    _csv(folder / "events.csv", [ID, "Type", "EventTime", "Value"], events)
    _yaml(folder / "config.yml", {"other_info": _CONFIG})
    _yaml(folder / "usage_config.yml", {"data_usage": _usage(outcome)})
    items = [{"name": name, "dtype": _TYPES.get(name, "object")} for name in (*_TYPES, *COHORTS)]
    _yaml(folder / "predictions.yml", {"predictions": items})
    _yaml(folder / "events.yml", {"events": [{"name": outcome, "dtype": "float"}]})
    _yaml(folder / "metadata.json", {"modelname": f"surgical-risk, {outcome}", "thresholds": [0.2, 0.1]})
    return Written(len(scored), len(every) - len(scored))


_CONFIG = {
    "info_dir": "outputs",
    "data_dir": ".",
    "usage_config": "usage_config.yml",
    "event_definition": "events.yml",
    "prediction_definition": "predictions.yml",
    "prediction_path": "predictions.csv",
    "event_path": "events.csv",
    "metadata_path": "metadata.json",
}


def _usage(outcome: str) -> dict[str, Any]:
    return {
        "entity_id": ID,
        "primary_output": SCORE,
        "primary_target": outcome,
        "predict_time": TIME,
        "cohorts": [{"source": source, "display_name": name} for source, name in COHORTS.items()],
        "events": [{"source": outcome, "usage": "target", "merge_strategy": "first"}],
        "censor_min_count": 10,
    }


def _prediction(row: Mapping[str, Any]) -> dict[str, Any]:
    cohorts = {name: row[name] or NOT_RECORDED for name in COHORTS if name != "withheld"}
    told = {ID: row[ID], TIME: row[TIME], SCORE: repr(float(row["champion_probability"]))}
    return {**told, **cohorts, "withheld": row["withheld"] or "may have been shown"}


def _event(row: Mapping[str, Any], outcome: str, horizon_days: int | None) -> dict[str, Any]:
    """Known on the last day of the horizon, whatever it was: 1 or 0, none left to be guessed."""
    days = UNTIL_DISCHARGE_DAYS if horizon_days is None else horizon_days
    known_on = date.fromisoformat(row["day"]) + timedelta(days=days)
    return {ID: row[ID], "Type": outcome, "EventTime": known_on.isoformat(), "Value": row["occurred"]}


def _csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    with private_files.text(path) as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def _yaml(path: Path, members: Any) -> None:
    """What is JSON is YAML too."""
    private_files.write(path, (json.dumps(members, indent=1) + "\n").encode())
