"""The columns of a file of operations to learn from: `cds-service record operations` writes it, `refit` reads it."""

from __future__ import annotations

REQUIRED = (
    "operation",
    "person",
    "site",
    "day",
    "procedure_group",
    "withheld",
    "permitted",
    "source",
    "outcome",
    "occurred",
    "champion",
    "champion_probability",
)
# Before the name of an input, and of a group of people.
INPUT, GROUP = "input.", "group."
# What was recorded while the operation ran (docs/during.md), empty where no closed case belongs to it: what came of it,
# as an outcome is. It may be no input of an estimate that is made before.
CASE = "during."
CASE_COLUMNS = tuple(
    CASE + name
    for name in (
        "begun",
        "minutes",
        "surgical_apgar",
        "blood_loss_ml",
        "map_below_65_minutes",
        "map_below_65_unseen_minutes",
        "map_20_below_baseline_minutes",
        "map_20_below_baseline_unseen_minutes",
        "spo2_below_90_minutes",
        "spo2_below_90_unseen_minutes",
        "temperature_below_36_minutes",
        "temperature_below_36_unseen_minutes",
    )
)
