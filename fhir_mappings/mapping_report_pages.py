"""The mapping report as one page that needs nothing else: what an analyst reads before anything is switched on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

from fhir_mappings import reasons
from fhir_mappings.feature import FeatureDefinition
from fhir_mappings.feature_catalogue import FEATURES
from fhir_mappings.mapping_counts import Site
from fhir_mappings.mapping_report import MappingReport, statuses
from fhir_mappings.mapping_report_csv import as_csv
from fhir_mappings.procedures import GROUPS

__all__ = ["as_csv", "as_html"]

GATE = 0.95  # R-D05: the part of possible operations that has to be mapped before a site is switched on
_SHOWN = 200  # rows of a table on the page; the CSV has all
_STYLE = Path(__file__).with_name("mapping_report.css").read_text(encoding="utf-8")
_STATUSES = {
    "used": "used",
    "used-with-conversion": "used, unit converted",
    "stale": "too old",
    "missing": "missing",
    "rejected": "rejected",
    "conflicting": "conflicting",
}
_ANSWERS = {"used": "yes", "none": "none recorded"}


def as_html(report: MappingReport, site: Site | None = None, *, source: str = "") -> str:
    """The page: how much is found, what to do next, then every count behind it."""
    parts = [
        f"<h1>Mapping report</h1><p class=lead>{_about(site, source)}</p>",
        _tiles(report),
        _section("What to do next", _next_steps(report)),
        _section("Inputs", _inputs(report)),
        _section("Orders", _orders(report)),
        _section("Codes that nothing maps", _unmapped(report)),
        _section("Units that were refused or assumed", _units(report)),
        _section("What could not be read", _unread(report)),
        "<footer>Counts only: no identifier, no value, no text of a patient. Every row is in the CSV.</footer>",
    ]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Mapping report</title>'
    page = f"<head>{head}<style>{_STYLE}</style></head><body><main>{''.join(parts)}</main></body>"
    return f'<!doctype html><html lang="en">{page}</html>'


def _about(site: Site | None, source: str) -> str:
    told = f"What the data of {source or 'these patients'} would become"
    if site is None:
        return escape(told) + "."
    maps = ", ".join(f"{one.name} {one.version} (approved by {one.approver})" for one in site.maps.sources) or "none"
    return escape(f"{told}, as of {site.as_of:%d %B %Y, %H:%M} ({site.zone.key}). Concept maps in force: {maps}.")


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def _tiles(report: MappingReport) -> str:
    share = report.order_coverage
    half = [name for name in _shown(report) if _usable(report, name) >= 0.5]
    unmapped = sum(count for _, count in report.unmapped)
    verdict = "" if share is None else "good" if share >= GATE else "stop"
    orders = ("none", "no possible operations in these data") if share is None else (_percent(share), _gate(share))
    aside = f"{report.unreadable_patients:,} set aside" if report.unreadable_patients else "none set aside"
    tiles = [
        ("", f"{report.patients:,}", "patients read", aside),
        ("", f"{len(half)} of {len(_shown(report))}", "inputs usable in half of the patients or more", "see Inputs"),
        (verdict, orders[0], "possible operations mapped", orders[1]),
        ("care" if unmapped else "good", f"{unmapped:,}", "codings that nothing maps", _different(report)),
    ]
    return "<div class=tiles>" + "".join(_tile(*tile) for tile in tiles) + "</div>"


def _tile(kind: str, figure: str, what: str, more: str) -> str:
    return (
        f'<div class="tile {kind}"><strong>{escape(figure)}</strong><span>{escape(what)}</span>'
        f"<span class=quiet>{escape(more)}</span></div>"
    )


def _gate(share: float) -> str:
    return "the gate of 95 % is reached" if share >= GATE else "95 % are needed before a card is shown"


def _different(report: MappingReport) -> str:
    return (
        f"{len(report.unmapped):,} different codes" if report.unmapped else "every coding is of a system that is read"
    )


def _next_steps(report: MappingReport) -> str:
    steps = [*_order_steps(report), *_code_steps(report)]
    if report.units:
        (name, unit, _), count = report.units[0]
        steps.append(f"Look at units: {FEATURES[name].label} in “{unit or 'no unit'}” comes {count:,} times.")
    unmapped = [FEATURES[name].label for (name, _, reason), _ in report.coverage if reason == "no-site-map"]
    if unmapped:
        steps.append(f"Map the site's own items for {', '.join(unmapped)}: no standard code exists for them.")
    if report.patients and (nobody := _recorded_of_nobody(report)):
        steps.append(f"No patient has a result for {nobody}: look whether the site records it under a code of its own.")
    if report.searches:
        steps.append("Ask for access to what could not be searched: see the last section.")
    if not steps:
        return "<p>Nothing: every order, code and unit in these data is understood.</p>"
    return "<ol class=next>" + "".join(f"<li>{escape(step)}</li>" for step in steps) + "</ol>"


def _recorded_of_nobody(report: MappingReport) -> str:
    counted = statuses(report)
    names = [name for name in _shown(report) if FEATURES[name].kind != "yes-no"]
    return ", ".join(FEATURES[name].label for name in names if counted[name]["missing"] == counted[name].total())


def _order_steps(report: MappingReport) -> Iterable[str]:
    open_orders = [(keys, count) for keys, count in report.orders if keys[0] == "unmapped-procedure" and keys[2]]
    share = report.order_coverage
    if share is None or share >= GATE or not open_orders:
        return
    codes = ", ".join(f"{code} ({count:,})" for (_, _, code), count in open_orders[:5])
    yield f"Map orders, the most frequent first: {codes}."


def _code_steps(report: MappingReport) -> Iterable[str]:
    local = [(keys, count) for keys, count in report.unmapped if keys[0] == "Observation" and keys[2]]
    if local:
        codes = ", ".join(f"{code} ({count:,})" for (_, _, code), count in local[:5])
        yield f"Map results that only have a code of the site's own: {codes}."


def _shown(report: MappingReport) -> tuple[str, ...]:
    counted = {name for (name, _, _), _ in report.coverage}
    return tuple(name for name in FEATURES if name in counted)


def _usable(report: MappingReport, name: str) -> float:
    counted = statuses(report)[name]
    return (counted["used"] + counted["used-with-conversion"]) / max(1, counted.total())


def _inputs(report: MappingReport) -> str:
    key, answer_key = _key(_STATUSES), _key(_ANSWERS | {one: _STATUSES[one] for one in ("missing", "rejected")})
    found = [FEATURES[name] for name in _shown(report)]
    numbers = [one for one in found if one.kind != "yes-no"]
    answers = [one for one in found if one.kind == "yes-no"]
    told = "“None recorded” is an answer: it was searched for and nothing was found. If it is so of everybody, ask why."
    return (
        f"<p class=quiet>In how many of the {report.patients:,} patients each input ends in which status.</p>"
        f"<h3>Numbers and categories</h3>{key}{_input_table(report, numbers)}"
        f"<h3>Yes or no</h3><p class=quiet>{told}</p>{answer_key}{_input_table(report, answers)}"
    )


def _key(words: Mapping[str, str]) -> str:
    return "<ul class=key>" + "".join(f"<li><i class={one}></i>{told}</li>" for one, told in words.items()) + "</ul>"


def _input_table(report: MappingReport, rows: Sequence[FeatureDefinition]) -> str:
    yes = "<th scope=col class=n>Yes" if any(one.kind == "yes-no" for one in rows) else ""
    names = (
        f"<th scope=col>Input<th scope=col>Patients<th scope=col class=n>Usable{yes}<th scope=col>If not, most often"
    )
    head = f"<tr>{names}</tr>"
    body = "".join(_input_row(report, one) for one in rows)
    return f"<div class=scroll><table class=inputs><thead>{head}</thead><tbody>{body}</tbody></table></div>"


def _input_row(report: MappingReport, one: FeatureDefinition) -> str:
    counted, told_as = statuses(report)[one.name], _STATUSES
    total = max(1, counted.total())
    if one.kind == "yes-no":
        yes = dict(report.present).get((one.name,), 0)
        counted, told_as = counted + Counter({"none": counted["used"] - yes}), _ANSWERS | _STATUSES
        counted["used"] = yes
    stack = "".join(
        f'<i class={status} style="width:{100 * counted[status] / total:.2f}%" title="{words} {counted[status]:,}"></i>'
        for status, words in told_as.items()
        if counted[status]
    )
    told = ", ".join(f"{words} {counted[status]:,}" for status, words in told_as.items() if counted[status])
    why = next((keys for keys, _ in report.coverage if keys[0] == one.name and keys[2]), None)
    reason = reasons.words(why[2]) if why else ""
    present = f"<td class=n>{counted['used']:,}</td>" if one.kind == "yes-no" else ""
    return (
        f"<tr><th scope=row>{escape(one.label)}</th>"
        f'<td><div class=stack role=img aria-label="{escape(told)}">{stack}</div></td>'
        f"<td class=n>{_percent(_usable(report, one.name))}</td>{present}<td class=why>{escape(reason)}</td></tr>"
    )


def _percent(share: float) -> str:
    """In whole per cent; never 0 for what exists, never 100 where something lacks."""
    whole = round(100 * share)
    if 0 < share < 1:
        whole = min(99, max(1, whole))
    return f"{whole} %"


def _orders(report: MappingReport) -> str:
    rows = [(_outcome(keys[0]), *_coded(keys[1:]), count) for keys, count in report.orders]
    return _volume(("Becomes", "System", "Code"), rows, "no orders in these data")


def _outcome(outcome: str) -> str:
    if outcome in GROUPS:
        return f"<span class='mark good'>{escape(GROUPS[outcome].label)}</span>"
    kind = "" if outcome == "not-surgical" else "stop"
    return f"<span class='mark {kind}'>{escape(outcome.replace('-', ' '))}</span>"


def _unmapped(report: MappingReport) -> str:
    rows = [(escape(keys[0]), *_coded(keys[1:]), count) for keys, count in report.unmapped]
    return _volume(("Resource", "System", "Code"), rows, "none")


def _coded(pair: Sequence[str]) -> tuple[str, str]:
    system, code = pair
    if not system and not code:
        return "<span class=quiet>words only</span>", ""
    return f"<code>{escape(system) or 'no system'}</code>", f"<code>{escape(code)}</code>"


def _units(report: MappingReport) -> str:
    told = {"unit-assumed": "no unit: assumed from the number"}
    rows = [
        (
            escape(FEATURES[name].label),
            f"<code>{escape(unit) or 'none'}</code>",
            escape(told.get(reason) or reasons.words(reason)),
            count,
        )
        for (name, unit, reason), count in report.units
    ]
    return _volume(("Input", "Unit as written", "Problem"), rows, "none")


def _unread(report: MappingReport) -> str:
    aside = [(escape(reasons.WORDS.get(one, one.replace("-", " "))), "", "", n) for (one,), n in report.set_aside]
    failed = [(escape(f"search for {key}"), escape(reasons.words(why)), "", n) for (key, why), n in report.searches]
    return _volume(("What", "Why", ""), aside + failed, "nothing")


def _volume(columns: Sequence[str], rows: Sequence[tuple[str, str, str, int]], empty: str) -> str:
    """Rows by volume, each with its part of all and a bar of it. The cells are HTML."""
    if not rows:
        return f"<p class=quiet>{escape(empty)}</p>"
    total, most = sum(row[3] for row in rows), max(row[3] for row in rows)
    head = "".join(f"<th scope=col>{escape(one)}" for one in columns)
    body = "".join(
        f"<tr><td>{a}</td><td>{b}</td><td>{c}</td><td class=n>{count:,}</td><td class=n>{_percent(count / total)}</td>"
        f'<td><span class=share style="width:{100 * count / most:.1f}%"></span></td></tr>'
        for a, b, c, count in rows[:_SHOWN]
    )
    more = f"<p class=quiet>{len(rows) - _SHOWN:,} more rows in the CSV.</p>" if len(rows) > _SHOWN else ""
    tail = "<th scope=col class=n>Count<th scope=col class=n>Share<th scope=col><span></span>"
    table = f"<table class=volume><thead><tr>{head}{tail}</thead><tbody>{body}</tbody></table>"
    return f"<div class=scroll>{table}</div>{more}"
