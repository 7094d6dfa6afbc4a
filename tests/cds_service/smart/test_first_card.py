"""The card at the top of the README is the one that `make run` prints first, so that nobody wonders which is right."""

from __future__ import annotations

from pathlib import Path

from cds_service.ehr import terminal
from tests.cds_service.smart.conftest import Demo
from tests.cds_service.smart.test_profile import card_of

README = Path(__file__).resolve().parents[3] / "README.md"


def test_the_card_of_the_readme_is_that_of_the_first_order(demo: Demo) -> None:
    block = README.read_text(encoding="utf-8").split("```\n")[1]
    card = card_of(demo, "demo-fusion", "22633")
    figures = [line for line in card["detail"].split("\n") if line.startswith("- ")]
    assert f"[{card['indicator'].upper()}] {card['summary']}" in block
    assert [line for line in block.split("\n") if line.startswith("- ")] == figures
    told = " ".join(terminal.write({"cards": [card]}).split())
    for paragraph in (
        "diabetes, hypertension on medication.",
        "Consider a frailty screen with a validated tool: age 72",
    ):
        assert paragraph in " ".join(block.split())
        assert paragraph in told
    assert card["suggestions"][0]["label"].partition(":")[0] in block
