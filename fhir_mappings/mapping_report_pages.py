"""The mapping report as a page and as CSV: what a site's analyst reads before anything is switched on."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from html import escape

from fhir_mappings import reasons
from fhir_mappings.feature_catalogue import FEATURES
from fhir_mappings.mapping_report import Counted, MappingReport, statuses

_SHOWN = 200  # rows of a table on the page; the CSV has all
_STATUSES = ("used", "used-with-conversion", "stale", "missing", "rejected", "conflicting")
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem}"
    "table{border-collapse:collapse;margin:1rem 0;width:100%}th,td{border-bottom:1px solid #ccc;padding:.3rem .6rem;"
    "text-align:left}td.n,th.n{text-align:right}caption{text-align:left;font-weight:600;padding:.5rem 0}"
)


def as_csv(report: MappingReport) -> str:
    """Every count, one row each: section, up to three keys, count. Keys that a spreadsheet would run are quoted."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("section", "key1", "key2", "key3", "count"))
    writer.writerow(("patients", "read", "", "", report.patients))
    writer.writerow(("patients", "unreadable", "", "", report.unreadable_patients))
    for section in ("coverage", "unmapped", "units", "orders", "set_aside"):
        rows: Iterable[Counted] = getattr(report, section)
        for keys, count in rows:
            writer.writerow((section, *(_harmless(key) for key in (*keys, "", "", "")[:3]), count))
    return out.getvalue()


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def as_html(report: MappingReport) -> str:
    """One page that needs nothing else: coverage first, then what is to be mapped."""
    share = report.order_coverage
    orders = (
        "no orders in these data" if share is None else f"{share:.1%} of possible operations are mapped (gate 95 %)"
    )
    parts = [
        f"<p>{report.patients:,} patients read, {report.unreadable_patients:,} set aside; {orders}.</p>",
        _table("Inputs: in how many patients", ("Input", *_STATUSES, "why not, most often"), _coverage(report)),
        _table("Codes that nothing maps, by volume", ("Resource", "System", "Code", "Count"), _rows(report.unmapped)),
        _table("Units that were refused or assumed", ("Input", "Unit", "Problem", "Count"), _units(report)),
        _table("Orders", ("Outcome", "System", "Code", "Count"), _rows(report.orders)),
        _table("Resources set aside", ("Reason", "Count"), _rows(report.set_aside)),
    ]
    head = f'<meta charset="utf-8"><title>Mapping report</title><style>{_STYLE}</style>'
    return (
        f'<!doctype html><html lang="en"><head>{head}</head><body><h1>Mapping report</h1>{"".join(parts)}</body></html>'
    )


def _rows(counted: Sequence[Counted]) -> list[tuple[str, ...]]:
    return [(*(key or "(words only)" for key in keys), f"{count:,}") for keys, count in counted]


def _units(report: MappingReport) -> list[tuple[str, ...]]:
    told = {"unit-assumed": "unit assumed"}
    return [
        (FEATURES[name].label, unit or "(none)", told.get(reason) or reasons.words(reason), f"{count:,}")
        for (name, unit, reason), count in report.units
    ]


def _coverage(report: MappingReport) -> list[tuple[str, ...]]:
    by_input, rows = statuses(report), []
    for name, definition in FEATURES.items():
        counted = by_input.get(name)
        if counted is None:
            continue
        why = next((reason for (one, _, reason), _ in report.coverage if one == name and reason), "")
        rows.append((definition.label, *(f"{counted[one]:,}" for one in _STATUSES), reasons.words(why or None)))
    return rows


def _table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in columns)
    body = (
        "".join("<tr>" + "".join(_cell(text) for text in row) + "</tr>" for row in rows[:_SHOWN])
        or f'<tr><td colspan="{len(columns)}">none</td></tr>'
    )
    more = f"<p>{len(rows) - _SHOWN:,} more rows in the CSV.</p>" if len(rows) > _SHOWN else ""
    caption_text = f"<caption>{escape(caption)}</caption>"
    return f"<table>{caption_text}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cell(text: str) -> str:
    number = text.replace(",", "").isdigit()
    return f'<td class="n">{escape(text)}</td>' if number else f"<td>{escape(text)}</td>"
