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
