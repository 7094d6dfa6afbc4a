"""What is watched, for Prometheus: the rules of its alerts from monitors.yaml, and the alarms that they read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from cds_service.monitoring.monitor_page import recent
from cds_service.monitoring.monitors import Monitor, Monitors
from cds_service.monitoring.watch import Watched

ALARMS, RUN = "surgical_risk_monitor_alarms", "surgical_risk_monitor_run_timestamp_seconds"
# The command is run each week; a day of grace.
MOST_SECONDS = 8 * 24 * 3600
_PAGE = "https://github.com/surgical-risk/surgical-risk/blob/main/docs/monitoring.md"
_HEAD = """\
# Made from cds_service/monitoring/monitors.yaml: python -m tests.simulations writes it anew; a test holds it.
# The alarms come from `cds-service monitor --out FOLDER`, run weekly, by the textfile collector of the node exporter.
groups:
  - name: surgical-risk-monitors
    rules:
"""


def exposition(of: Sequence[Watched], limits: Monitors, *, at: datetime | None) -> str:
    """The alarms of four weeks by tenant and figure, where the figure has a chart, and when this was made.

    `at`: None where a tenant could not be judged; it has no alarms here, so the alert on no run has to speak of it.
    """
    lines = [f"# TYPE {ALARMS} gauge"]
    for tenant in of:
        for one in limits.figures:
            if tenant.charts.get(one.name):
                labels = f'tenant={json.dumps(tenant.tenant)},figure="{one.name}"'
                lines.append(f"{ALARMS}{{{labels}}} {len(recent(tenant, one.name))}")
    if at is not None:
        lines += [f"# TYPE {RUN} gauge", f"{RUN} {at.timestamp():.0f}"]
    return "\n".join([*lines, ""])


def rules(limits: Monitors) -> str:
    """The alerting rules: one for each figure, and one where nobody has looked for longer than a week."""
    of_each = [
        _rule(_name(one), f'{ALARMS}{{figure="{one.name}"}} > 0', f"{{{{ $labels.tenant }}}}: {one.heading}", one)
        for one in limits.figures
    ]
    never = f"time() - max({RUN}) > {MOST_SECONDS} or absent({RUN})"
    summary = "Nobody has looked at the monitored figures for a week"
    action = "Run cds-service monitor --out FOLDER; until then no alarm is no good news"
    stopped = _entry("SurgicalRiskMonitorNotRun", never, summary, action, "Operator", "")
    return _HEAD + "".join([*of_each, stopped])


def _name(one: Monitor) -> str:
    return "SurgicalRiskMonitor" + "".join(part.capitalize() for part in one.name.split("-"))


def _rule(name: str, expression: str, summary: str, one: Monitor) -> str:
    return _entry(name, expression, summary, one.action, one.owner, f"#{one.name}")


def _entry(name: str, expression: str, summary: str, action: str, owner: str, anchor: str) -> str:
    return (
        f"      - alert: {name}\n        expr: |\n          {expression}\n"
        f"        labels:\n          severity: warning\n          owner: {json.dumps(owner)}\n"
        f"        annotations:\n          summary: {json.dumps(summary)}\n          description: {json.dumps(action)}\n"
        f"          runbook_url: {_PAGE}{anchor}\n"
    )
