"""The page of one tenant and the page of all: figures with their charts, alarms, actions and blind spots, as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

from markupsafe import Markup

from cds_service.monitoring import told_tables
from cds_service.monitoring.chart_picture import picture
from cds_service.monitoring.monitors import Monitor, Monitors
from cds_service.monitoring.watch import Watched, WatchedChart

_STYLE = Path(__file__).with_name("monitor_page.css")
# An alarm of so many days before the page was made asks for something; what is older stays in its table.
RECENT_DAYS = 28
_INDEX = "index"
_SHOWN = 12
_DOCUMENT = Markup(
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,'
    ' initial-scale=1"><title>{title}</title><style>{style}</style></head><body><main>{body}</main></body></html>\n'
)


def of_tenant(of: Watched, limits: Monitors) -> str:
    """The page of one tenant."""
    lead = (
        f"{of.operations:,} operations in {of.calls:,} calls, {of.weeks.count} whole weeks from {of.weeks.first}; "
        f"made on {of.made_on}. With every chart on, chance makes one alarm in {limits.weeks_per_false_alarm:g} weeks."
    )
    body = [
        Markup('<p class="lead up"><a href="{}.html">All tenants</a></p>').format(_INDEX),
        Markup("<h1>{}</h1><p class=lead>{}</p>").format(f"What is watched of {of.tenant}", lead),
        _asks(of, limits),
        *(_figure(one, of) for one in limits.figures),
        _tables(of),
    ]
    return _document(f"Monitoring of {of.tenant}", body)


def file_name(tenant: str) -> str:
    """The file of a tenant's page; that of all of them is another one, whatever a tenant is called."""
    return f"{tenant}.html" if tenant.casefold() != _INDEX else f"{tenant}~.html"


def of_all(tenants: Sequence[Watched], limits: Monitors, *, failed: Mapping[str, str]) -> str:
    """The page of all tenants: a row each, with the alarms of four weeks by name; who could not be read is told."""
    rows = [_row(of, limits) for of in tenants]
    rows += [
        Markup("<tr><th scope=row>{}</th><td colspan=3>not watched: {}</td></tr>").format(tenant, why)
        for tenant, why in failed.items()
    ]
    table = Markup(
        "<div class=scroll tabindex=0><table><thead><tr><th scope=col>Tenant</th><th scope=col>Operations</th>"
        "<th scope=col>Alarms</th><th scope=col>No chart yet</th></tr></thead><tbody>{}</tbody></table></div>"
    ).format(Markup("").join(rows))
    lead = f"Alarms of the {RECENT_DAYS} days before each page was made. What has no chart yet can raise no alarm."
    return _document(
        "Monitoring", [Markup("<h1>All tenants</h1><p class=lead>{}</p><section>{}</section>").format(lead, table)]
    )


def recent(of: Watched, figure: str) -> tuple[tuple[date, str], ...]:
    """The alarms of a figure that ask for something now: it is not long that they could be known."""
    return of.known_since(figure, of.made_on - timedelta(days=RECENT_DAYS))


def _row(of: Watched, limits: Monitors) -> Markup:
    found = [(one.heading, len(recent(of, one.name))) for one in limits.figures if of.charts.get(one.name)]
    alarms = [f"{heading}: {number}" for heading, number in found if number]
    missing = [one.heading for one in limits.figures if not of.charts.get(one.name)]
    row = Markup('<tr><th scope=row><a href="{}">{}</a></th><td>{:,}</td><td{}>{}</td><td class=quiet>{}</td></tr>')
    marked = Markup(" class=alarm") if alarms else ""
    return row.format(file_name(of.tenant), of.tenant, of.operations, marked, _lines(alarms), _lines(missing))


def _lines(told: Sequence[str]) -> Markup:
    return Markup("<br>").join(told) if told else Markup("none")


def _asks(of: Watched, limits: Monitors) -> Markup:
    """What somebody has to do now, by figure."""
    rows = [
        Markup("<li><strong>{}</strong>: {}. <b>{}</b> {}</li>").format(
            one.heading, "; ".join(f"{label or 'all'} ({day})" for day, label in found[:_SHOWN]), one.owner, one.action
        )
        for one in limits.figures
        if (found := recent(of, one.name))
    ]
    if not rows:
        told = f"No alarm in the last {RECENT_DAYS} days. Each chart says what it cannot see."
        return Markup("<section><h2>What asks for something now</h2><p>{}</p></section>").format(told)
    return Markup("<section class=asks><h2>What asks for something now</h2><ul>{}</ul></section>").format(
        Markup("").join(rows)
    )


def _figure(one: Monitor, of: Watched) -> Markup:
    charts = of.charts.get(one.name, ())
    facts = (
        ("Owner", one.owner),
        ("Looked at", f"each {one.review}"),
        ("Alarm", one.rule),
        ("Then", one.action),
        ("Cannot see", one.cannot_see),
    )
    told = Markup("").join(Markup("<dt>{}</dt><dd>{}</dd>").format(*fact) for fact in facts)
    body = (
        _drawn(charts, told_tables.labels_told(of))
        if charts
        else Markup("<p class=none>No chart: the record holds nothing of it yet.</p>")
    )
    return Markup('<section id="{}"><h2>{}</h2><dl>{}</dl>{}</section>').format(one.name, one.heading, told, body)


def _drawn(charts: Sequence[WatchedChart], told: frozenset[str]) -> Markup:
    """Charts with an alarm first; each with its figures in words."""
    ordered = sorted(charts, key=lambda chart: not chart.alarms)
    return Markup("<div class=charts>{}</div>").format(Markup("").join(_chart(one, told) for one in ordered))


def _chart(one: WatchedChart, told: frozenset[str]) -> Markup:
    usual, latest = one.usual, one.latest
    if one.figure in ("calibration", "subgroups") and one.label.rpartition(", ")[0] not in told:
        usual, latest = told_tables.HIDDEN, told_tables.FEW_HAPPENED
    alarms = ", ".join(day.isoformat() for day in one.alarms[-_SHOWN:]) or "none"
    return Markup(
        "<figure{}><figcaption><strong>{}</strong> usually {}; at last {}</figcaption>{}<p>Alarms: {}</p>"
        "<p class=quiet>Cannot see: {}</p></figure>"
    ).format(
        Markup(" class=alarm") if one.alarms else "", one.label or "All", usual, latest, picture(one), alarms,
        one.cannot_see,
    )  # fmt: skip


def _tables(of: Watched) -> Markup:
    parts = [
        _table("Silence by reason", ("Reason", "Calls"), told_tables.counted(dict(of.silences))),
        _table("Dismissed cards by reason", ("Reason", "Cards"), told_tables.counted(dict(of.overrides))),
        _table(
            "Observed and predicted, operations that may be counted",
            ("Outcome", "Group", "Operations", "Happened", "Predicted", "Observed : predicted (95 %)"),
            told_tables.observed(of),
        ),
        _table(
            "Operations by what is known of their outcome",
            ("Outcome", "Standing", "Operations"),
            [(outcome, *row) for outcome, by in of.standings.items() for row in sorted(told_tables.counted(by))],
        ),
    ]
    never = ", ".join(of.never_had) or "none"
    told = Markup("<section><h2>Inputs that no operation had</h2><p>{}. Of these nothing can be watched.</p></section>")
    return Markup("").join([*parts, told.format(never)])


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Markup:
    columns = Markup("").join(Markup("<th scope=col>{}</th>").format(one) for one in head)
    lines = [
        Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(cell) for cell in row))
        for row in rows
    ]
    body = Markup("").join(lines) or Markup("<tr><td colspan={}>nothing recorded</td></tr>").format(len(head))
    return Markup(
        "<section><h2>{}</h2><div class=scroll tabindex=0><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>"
        "</div></section>"
    ).format(title, columns, body)


def _document(title: str, body: Iterable[Markup]) -> str:
    style = Markup(_STYLE.read_text(encoding="utf-8"))  # noqa: S704 — our own file
    return str(_DOCUMENT.format(title=title, style=style, body=Markup("").join(body)))
