"""A card in a terminal keeps the lines of its list: five figures run together are read as one sentence."""

from __future__ import annotations

from cds_service.ehr import terminal

LONG = "- Any complication in hospital: 231 (model's average 209–255; usual 180), depending mostly on sepsis"
CARD = {
    "indicator": "info",
    "summary": "30-day death after spinal fusion: about 8 in 1,000 (usual 8)",
    "detail": f"**Of 1,000:**\n\n- Death: 8 (usual 8)\n{LONG}\n- Respiratory failure: 14\n\nWhy.",
    "source": {"label": "Surgical risk service"},
}


def test_each_figure_of_a_card_has_a_line_of_its_own() -> None:
    lines = terminal.write({"cards": [CARD]}).split("\n")
    assert "- Death: 8 (usual 8)" in lines
    assert "- Respiratory failure: 14" in lines
    first = next(at for at, line in enumerate(lines) if line.startswith("- Any complication"))
    assert f"{lines[first]} {lines[first + 1].strip()}" == LONG
    assert lines[first + 1].startswith("  ")
    assert max(map(len, lines)) <= terminal.WIDTH
