"""The generated parts of docs/monitoring.md and the rules for Prometheus: what is between two marks is written anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cds_service.monitoring import prometheus
from cds_service.monitoring.monitors import monitors

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/monitoring.md"
RULES = ROOT / "deploy/surgical-risk-monitors.yaml"
_HEADS = {
    "alone": ("What", "Risks", "Operations a week", "Mean run length"),
    "family": ("Streams", "Operations a week", "Weeks for each alarm of any chart"),
    "told": ("What changes", "Operations a week", "Told after", "In time"),
    "rise": ("Operations a week", "Best possible, within 4 weeks", "The EWMA, told what is usual", "The chart in use"),
}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["--"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def figures() -> str:
    """A section for each figure of monitors.yaml."""
    return "\n\n".join(
        f"### {one.name}\n\n**{one.heading}** ({one.layer}; {one.owner}, each {one.review}; {one.share:g} % of the"
        f" false alarms). {one.rule}. *Then*: {one.action}. *Cannot see*: {one.cannot_see}."
        for one in monitors().figures
    )


def replaced(text: str, name: str, body: str) -> str:
    begin, end = f"<!-- {name}: generated -->", f"<!-- end of {name} -->"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n\n{body}\n\n{end}{after}"


def write(**tables: Sequence[Sequence[str]]) -> None:
    text = replaced(PAGE.read_text(encoding="utf-8"), "figures", figures())
    for name, rows in tables.items():
        text = replaced(text, name, table(_HEADS[name], rows))
    PAGE.write_text(text, encoding="utf-8")
    RULES.write_text(prometheus.rules(monitors()), encoding="utf-8")
