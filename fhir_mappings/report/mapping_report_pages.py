"""The mapping report as one page that needs nothing else: what an analyst reads before anything is switched on."""

from __future__ import annotations

from html import escape
from pathlib import Path

from fhir_mappings.report import mapping_report_tables as tables
from fhir_mappings.report.mapping_counts import MappingSite
from fhir_mappings.report.mapping_lists import MISSED
from fhir_mappings.report.mapping_report import MappingReport
from fhir_mappings.report.mapping_report_csv import as_csv
from fhir_mappings.report.mapping_report_steps import GATE, Step, percent, steps

__all__ = ["as_csv", "as_html"]

_STEPS = 20  # steps on the page: the first concern most people
_STYLE = Path(__file__).with_name("mapping_report.css").read_text(encoding="utf-8")


def as_html(report: MappingReport, site: MappingSite | None = None, *, source: str = "") -> str:
    """The page: how much is found, what to do next, then every count behind it."""
    parts = [
        f"<h1>Mapping report</h1><p class=lead>{_about(site, source)}</p>",
        _tiles(report),
        _section("What to do next", _next_steps(report)),
        _section("What was understood", tables.lists(report)),
        _section("Inputs", tables.inputs(report)),
        _section("Orders", tables.orders(report)),
        _section("Codes that are not understood", tables.unmapped(report)),
        _section("Units that were refused or assumed", tables.units(report)),
        _section("What could not be read", tables.unread(report)),
        "<footer>Counts only: no identifier, no value, no text of a patient. Every row is in the CSV.</footer>",
    ]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Mapping report</title>'
    page = f"<head>{head}<style>{_STYLE}</style></head><body><main>{''.join(parts)}</main></body>"
    return f'<!doctype html><html lang="en">{page}</html>'


def _about(site: MappingSite | None, source: str) -> str:
    told = f"What the data of {source or 'these patients'} would become"
    if site is None:
        return escape(told) + "."
    maps = ", ".join(f"{one.name} {one.version} (approved by {one.approver})" for one in site.maps.sources) or "none"
    return escape(f"{told}, as of {site.as_of:%d %B %Y, %H:%M} ({site.zone.key}). Concept maps in force: {maps}.")


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def _tiles(report: MappingReport) -> str:
    share = report.order_coverage
    shown = tables.shown(report)
    half = [name for name in shown if tables.usable(report, name) >= 0.5]
    verdict = "" if share is None else "good" if share >= GATE else "stop"
    orders = ("none", "no possible operations in these data") if share is None else (percent(share), _gate(share))
    aside = f"{report.unreadable_patients:,} set aside" if report.unreadable_patients else "none set aside"
    whole = dict(report.people).get(("whole", ""), 0)
    kind = "" if not report.patients else "good" if whole == report.patients else "care" if whole else "stop"
    understood = percent(whole / max(1, report.patients))
    tiles = [
        ("", f"{report.patients:,}", "patients read", aside),
        (kind, understood, "of them with every entry understood", _missed(report)),
        ("", f"{len(half)} of {len(shown)}", "inputs usable in half of the patients or more", "see Inputs"),
        (verdict, orders[0], "possible operations mapped", orders[1]),
    ]
    return "<div class=tiles>" + "".join(_tile(*tile) for tile in tiles) + "</div>"


def _tile(kind: str, figure: str, what: str, more: str) -> str:
    return (
        f'<div class="tile {kind}"><strong>{escape(figure)}</strong><span>{escape(what)}</span>'
        f"<span class=quiet>{escape(more)}</span></div>"
    )


def _gate(share: float) -> str:
    return "the gate of 95 % is reached" if share >= GATE else "95 % are needed before a card is shown"


def _missed(report: MappingReport) -> str:
    missed = sum(count for (_, what), count in report.entries if what == MISSED)
    return f"{missed:,} entries of the others are not" if missed else "nothing is told as absent that was not read"


def _next_steps(report: MappingReport) -> str:
    found = steps(report)
    if not found:
        return "<p>Nothing: every entry, order, code and unit in these data is understood.</p>"
    more = (
        f"<p class=quiet>{len(found) - _STEPS:,} more, which concern fewer people.</p>" if len(found) > _STEPS else ""
    )
    return f"<ol class=next>{''.join(map(_step, found[:_STEPS]))}</ol>{more}"


def _step(step: Step) -> str:
    write = f"<code class=write>{escape(step.write)}</code>" if step.write else ""
    remedy = f"<span class=quiet>{escape(step.remedy)}</span>" if step.remedy else ""
    return f"<li>{escape(step.found)} {remedy}{write}</li>"
