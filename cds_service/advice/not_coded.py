"""What of the clinical catalogue is not carried out, and why; run as a module, it writes docs/suggestions.md."""

from __future__ import annotations

from pathlib import Path

import msgspec

from cds_service.advice.catalogue import Catalogue, Row, load
from cds_service.advice.operation_attributes import OPERATIONS
from models_onnx import data_files

FILE = Path(__file__).with_name("not_coded.yaml")
PAGE = Path("docs") / "suggestions.md"


class Missing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What does not exist; exactly one is named. Once it does, the row can be written."""

    no_outcome: str | None = None
    no_value_set: str | None = None
    no_feature: str | None = None
    no_prefetch_key: str | None = None
    no_loinc_in: str | None = None


class NotCoded(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One part of a row of the clinical catalogue that is not carried out."""

    row: int
    part: str
    why: str
    still_true: Missing


NOT_CODED: tuple[NotCoded, ...] = data_files.read_yaml(FILE, tuple[NotCoded, ...])


def document(catalogue: Catalogue) -> str:
    """The page: every row with what decides it, then what is not carried out, then how operations are seen."""
    rows = sorted(catalogue.rows, key=lambda row: row.number)
    left_out = [f"| {one.row} | {one.part} | {one.why} |" for one in NOT_CODED]
    operations = [
        f"| `{name}` | {meaning.words} | {meaning.standing} | {meaning.source} |"
        for name, meaning in OPERATIONS.attributes.items()
    ]
    return "\n".join(
        [
            "# What a card may suggest",
            "",
            "Written by `python -m cds_service.advice.not_coded` from `cds_service/advice/`; a test compares. Every row"
            " is an option for a clinician,",
            "never an order. Triggers, sources and the 13 attributes stand in the YAML files and at `/evidence`.",
            "",
            "| row | id | consider | grade | lead, days | superfluous where requested | site opts in |",
            "|--|--|--|--|--|--|--|",
            *(_line(row) for row in rows),
            "",
            "## Not carried out, and why",
            "",
            "| row | part | why |",
            "|--|--|--|",
            *left_out,
            "",
            "## How operations are seen",
            "",
            "`assumed` is a decision of this product that each site confirms before go-live.",
            "",
            "| attribute | meaning | standing | source |",
            "|--|--|--|--|",
            *operations,
            "",
        ]
    )


def _line(row: Row) -> str:
    requested = ", ".join(row.unless_requested) or "–"
    opts_in = "yes" if row.opt_in else ""
    grade = f"{row.grade}; elsewhere than at the spine {row.elsewhere.grade}" if row.elsewhere else row.grade
    return f"| {row.number} | `{row.id}` | {row.consider} | {grade} | {row.lead_days} | {requested} | {opts_in} |"


if __name__ == "__main__":
    PAGE.write_text(document(load()), encoding="utf-8")
