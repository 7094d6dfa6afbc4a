"""The risk-management summary covers what the rule asks, is not stale, and names proofs that exist."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import pytest

from cds_service.pages import irm

TESTS = Path(__file__).resolve().parents[2]
NAMES = {name for path in TESTS.rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())}


@pytest.mark.parametrize("proof", [proof for hazard in irm.SUMMARY.hazards for proof in hazard.proof])
def test_every_control_is_proven_by_a_test_that_exists(proof: str) -> None:
    assert proof in NAMES


def test_the_summary_was_reviewed_within_its_period() -> None:
    due = irm.SUMMARY.reviewed + datetime.timedelta(days=31 * irm.SUMMARY.review_every_months)
    assert datetime.datetime.now(datetime.UTC).date() <= due


def test_a_summary_without_one_of_the_eight_rows_is_refused(tmp_path: Path) -> None:
    text = Path(irm.__file__).with_name("irm.yaml").read_text()
    short = tmp_path / "irm.yaml"
    short.write_text(text[: text.index("  - characteristic: privacy")])
    with pytest.raises(ValueError, match="privacy"):
        irm.read_summary(short)
