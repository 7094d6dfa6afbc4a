"""The dashboard is what Grafana reads, and each of its queries is one that the service's counts answer."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.deploy import tools
from tests.deploy.test_alerts import counted

FILE = Path(__file__).resolve().parents[2] / "deploy/grafana/surgical-risk.json"
DASHBOARD: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
# Grafana's description of a dashboard (grafana-foundation-sdk, made from its schema): what it does not know it drops.
ROUND_TRIP = """
import json, sys
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
plugins.register_default_plugins()
print(JSONEncoder().encode(Dashboard.from_json(json.load(sys.stdin))))
"""


def queries() -> list[tuple[str, str]]:
    """Title and expression, with the variables as Grafana fills them in."""
    found = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]
    return [(title, expr.replace("$tenant", ".*").replace("$__rate_interval", "1m")) for title, expr in found]


def lost(given: Any, kept: Any, place: str = "") -> list[str]:
    """Where `kept` does not say what `given` says; members that it adds are defaults."""
    if isinstance(given, dict) and isinstance(kept, dict):
        gone = [f"{place}/{name}" for name in given if name not in kept]
        return gone + [
            one for name in given if name in kept for one in lost(given[name], kept[name], f"{place}/{name}")
        ]
    if isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        pairs = enumerate(zip(given, kept, strict=True))
        return [one for number, (ours, its) in pairs for one in lost(ours, its, f"{place}/{number}")]
    return [] if given == kept else [place]


@pytest.mark.end_to_end
def test_grafanas_schema_knows_everything_in_it() -> None:
    python = tools.program("python")
    done = subprocess.run(
        [python, "-c", ROUND_TRIP],
        input=FILE.read_text("utf-8"),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert lost(DASHBOARD, json.loads(done.stdout)) == []
    wrong = {**DASHBOARD, "panels": [{**PANELS[0], "titel": "misspelt"}]}
    done = subprocess.run(
        [python, "-c", ROUND_TRIP], input=json.dumps(wrong), capture_output=True, text=True, check=True, timeout=120
    )
    assert lost(wrong, json.loads(done.stdout)) == ["/panels/0/titel"], "the test would see what Grafana would not"


def test_the_panels_fill_rows_of_24_and_none_lies_on_another() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        for place in [(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])]:
            assert place not in taken, f"{panel['title']} lies on {taken.get(place)}"
            taken[place] = panel["title"]
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_every_panel_says_what_it_shows_and_an_unknown_is_never_a_nought() -> None:
    assert [panel["title"] for panel in PANELS if not panel["description"]] == []
    single = [panel for panel in PANELS if panel["type"] == "stat"]
    assert {panel["fieldConfig"]["defaults"]["noValue"] for panel in single} == {"unknown"}


def test_every_count_of_the_service_is_on_it_and_nothing_else() -> None:
    read = {name for _, expr in queries() for name in re.findall(r"\bsurgical_risk_\w+", expr)}
    assert read <= counted()
    stems = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in read}
    assert {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in counted() - {"up"}} == stems
