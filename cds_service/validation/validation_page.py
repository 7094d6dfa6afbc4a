"""The validation report as one page that needs nothing else, printable, for the people who sign it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from cds_service.pages.words import label
from cds_service.validation import page_parts as parts
from cds_service.validation.evidence import GateVerdict, overlaps_with, written
from cds_service.validation.group_tables import GroupTable
from cds_service.validation.outcome_figures import OutcomeFigures
from cds_service.validation.page_parts import fewer, number, section, share, table, words
from cds_service.validation.threshold_counts import EVERY_FLOOR, EVERY_LIMIT
from cds_service.validation.validation_report import ValidationReport
from fhir_mappings.features import reasons

_STYLE = Path(__file__).with_name("validation.css").read_text(encoding="utf-8")
_HIDDEN = (
    "Groups of fewer than 10 people, and events of which there are fewer than 10 or all but fewer than 10, are not"
    " told; nor is so much beside them that subtraction would give them back."
)


def as_html(report: ValidationReport, gates: Sequence[GateVerdict], *, sha256: str) -> str:
    """The page: what the gates say first, then everything behind them."""
    content = [
        f"<h1>Validation of {escape(report.tenant)}</h1>",
        f"<p class=lead>{escape(_about(report))}</p>",
        _tiles(report, gates),
        section("Gates", words("Judged by the tenant's file. What could not be found does not pass."), _gates(gates)),
        section("How much there was, and what silent mode would have shown", *_volume(report)),
        section("Cards and warnings at other thresholds", *_thresholds(report)),
        section("What was known", *_known(report)),
        *(section(one.outcome, *_outcome(one)) for one in report.outcomes),
        section("What each input is worth", *_ablations(report)),
        section("By groups of people", words(_HIDDEN, quiet=True), *map(_groups, report.groups)),
        section("What was validated", *_models(report)),
        f"<footer>Report <code>{sha256}</code>. Counts and figures only: no identifier of a patient.</footer>",
    ]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    title = f"<title>Validation of {escape(report.tenant)}</title>"
    page = f"<head>{head}{title}<style>{_STYLE}</style></head><body><main>{''.join(content)}</main></body>"
    return f'<!doctype html><html lang="en">{page}</html>'


def _about(report: ValidationReport) -> str:
    return (
        f"Calls from {report.since} to before {report.until}, {report.weeks} weeks with operations; outcomes as known"
        f" on {report.as_of}, counted from weeks whose outcomes can be known whole (reported within"
        f" {report.lag_days} days). Made at {report.made_at[:16].replace('T', ' ')} UTC."
    )


def _tiles(report: ValidationReport, gates: Sequence[GateVerdict]) -> str:
    broken = sum(not one.passes for one in gates)
    verdict = ("All gates pass", "good") if not broken else (f"{broken} of {len(gates)} gates refuse", "stop")
    weekly = _weekly(report.thresholds.cards, report)
    tiles = (
        (verdict[0], "a card may be shown only with all of them", verdict[1]),
        (number(report.operations), "operations asked about", ""),
        (weekly, "operations with a card a week, at the floors in force", ""),
        (_weekly(report.thresholds.warnings, report), "of them with a warning a week", ""),
        (share(report.volume.share_mapped), "of calls with an operation are understood", ""),
    )
    shown = (f'<div class="tile {k}"><strong>{escape(a)}</strong><span>{escape(b)}</span></div>' for a, b, k in tiles)
    return f"<div class=tiles>{''.join(shown)}</div>"


def _weekly(count: int | None, report: ValidationReport) -> str:
    return parts.HIDDEN if count is None or not report.weeks else f"{count / report.weeks:.1f}"


def _gates(gates: Sequence[GateVerdict]) -> str:
    rows = [
        (one.name, one.asked, one.found, ("passes", "good") if one.passes else ("refuses", "stop")) for one in gates
    ]
    return table(("gate", "asked", "found", "verdict"), rows)


def _volume(report: ValidationReport) -> list[str]:
    of = report.volume
    quick = "not known" if of.milliseconds is None else f"{of.milliseconds[0]:g} ms, 95 % within {of.milliseconds[1]:g}"
    rows = [
        ("calls", number(of.calls)),
        ("of them with an operation that was looked at", number(of.with_operation)),
        ("operations", f"{number(report.operations)} (and {number(report.repeated)} calls more about the same ones)"),
        ("would have had a card, had the service been on", number(of.would_show)),
        ("were shown one", f"{fewer(of.shown)}, and the same card again {fewer(of.again)}"),
        ("of these a card that only names a gap", fewer(of.gaps_told)),
        (
            "suggestions on a card, mean",
            "not told" if of.suggestions_per_card is None else f"{of.suggestions_per_card}",
        ),
        ("time to answer, median", quick),
    ]
    exact = [(f"silent: {name}", number(count)) for name, count in of.of_no_patient.items()]
    failed = [(f"failed: {name}", number(count)) for name, count in of.failed.items()]
    return [
        table(("what", "number"), [*rows, *exact, *failed]),
        "<h3>What the calls got</h3>",
        parts.counts(of.answered, "answer"),
        "<h3>By hook</h3>",
        parts.counts(of.by_hook, "hook", part="with a card"),
        "<h3>By who asked</h3>",
        parts.counts(of.by_role, "role", part="with a card"),
        "<h3>By time of day</h3>",
        parts.counts(of.by_hour, "time", part="with a card"),
        "<h3>Bands of the headline</h3>",
        parts.counts(report.bands, "band"),
    ]


def _thresholds(report: ValidationReport) -> list[str]:
    of = report.thresholds
    told = [
        words(
            "Counted from what each operation's card hung on, as answering it again with that threshold would decide."
            " Every step that may be told is in thresholds.csv, rounded up to three digits; steps that differ by fewer"
            " than 10 operations, also from what is in force, are drawn together."
        )
    ]
    if of.unknown:
        told.append(words(f"Of {of.unknown:,} operations the record does not say enough: they are in no count here."))
    plots = [
        parts.threshold_plot(one, of.weeks, 4 * one.in_force if one.moved in (EVERY_FLOOR, EVERY_LIMIT) else 0.5)
        for one in of.curves
    ]
    always = [(f"{one.what}, whatever {one.moved}", number(one.always)) for one in of.curves]
    return [
        *told,
        f"<div class=plots>{''.join(plots)}</div>",
        table(("operations that have it at any threshold", "number"), always),
        "<h3>Each week: operations, and of them with a card</h3>",
        parts.counts(of.by_week, "week from", part="with a card"),
        "<h3>Each week: operations, and of them with a warning</h3>",
        parts.counts(of.warnings_by_week, "week from", part="with a warning"),
    ]


def _known(report: ValidationReport) -> list[str]:
    rows = []
    for one in report.inputs:
        rest = f"nearly {one.nearly}" if one.nearly else parts.HIDDEN
        told = f"{share(one.known / one.n)} of {one.n:,}" if one.known is not None and one.n else rest
        whys = ", ".join(f"{reasons.WORDS.get(why, why)}: {count:,}" for why, count in one.why)
        rows.append((label(one.name), told, whys))
    lists = [(one.name, number(one.entries), number(one.operations)) for one in report.lists]
    return [
        table(("input", "known", "why not"), rows),
        "<h3>Entries that nobody understood</h3>",
        words("They are never counted as absent: figures over them are ranges."),
        table(("list", "entries", "operations with any"), lists),
    ]


def _outcome(of: OutcomeFigures) -> list[str]:
    horizon = "Until discharge" if of.horizon_days is None else f"Within {of.horizon_days} days"
    known = "its outcome is known of too few operations to be told" if of.n is None else f"about {of.n:,} operations"
    events = "" if of.events is None else f", {of.events:,} events"
    found = [words(f"{horizon}; told by {', '.join(of.models) or 'no model in force'}; {known}{events}.")]
    if of.events is None:
        found.append(words("Too few events, or too few operations without one: no figure is made of them."))
    else:
        found.append(table(("figure", "value (95 %)", "how to read it"), parts.figure_rows(of)))
        found.append(f"<div class=plots>{parts.calibration_plot(of)}{parts.decision_plot(of)}</div>")
        rows = [
            (one.name, written(one.auroc), written(one.told_auroc), written(one.brier), written(one.told_brier))
            if not one.why_not
            else (one.name, one.why_not, "", "", "")
            for one in of.compared
        ]
        found += ["<h3>What little would do as well</h3>"]
        found.append(table(("simple rule", "its AUROC", "told: AUROC", "its Brier score", "told: Brier score"), rows))
    found += ["<h3>Which operations count</h3>", parts.counts(of.standing, "outcome")]
    if of.n is not None:
        found += ["<h3>Of those that count</h3>", parts.counts(of.without_figure, "figure")]
    return found


def _ablations(report: ValidationReport) -> list[str]:
    found = [
        words(
            "Each input withheld in turn, from the values that the record keeps (two decimals), before recalibration;"
            " only operations whose figure comes back from them."
        )
    ]
    for of in report.ablations:
        n, all_of = ("too few" if one is None else f"about {one:,}" for one in (of.n, of.of))
        found.append(f"<h3>{escape(of.outcome)}: {escape(of.model)}</h3>" + words(f"{n} of {all_of} operations."))
        rows = [
            (label(one.input), share(one.share_computed), written(one.auroc), written(one.before), written(one.o_e))
            for one in of.rows
        ]
        found.append(
            table(("withheld", "still has a figure", "AUROC without", "with it, same operations", "O:E"), rows)
        )
    return found


def _groups(of: GroupTable) -> str:
    title = f"<h3>{escape(of.dimension)}</h3>"
    if not of.recorded:
        return title + words("Not recorded: nothing is known of how the service does by it.")
    heads = ("group", "events", "observed to expected", "AUROC", "intercept")
    tables = [parts.counts(of.operations, "group")]
    for one in of.outcomes:
        rows = [
            (group.name, number(group.events), written(group.o_e), written(group.auroc), written(group.intercept))
            if group.events is not None
            else (group.name, parts.HIDDEN, "", "", "")
            for group in one.groups
        ]
        more = words(f"Events of the groups that are not told, together: {number(one.together)}.", quiet=True)
        hidden = any(group.events is None for group in one.groups)
        tables.append(f"<p><strong>{escape(one.outcome)}</strong></p>" + table(heads, rows) + (more if hidden else ""))
    return title + "".join(tables)


def _models(report: ValidationReport) -> list[str]:
    rows = [
        (f"{one.model} {one.version}", one.sha256, f"number {one.recalibration}" if one.recalibration else "none")
        for one in report.models
    ]
    days = {one.outcome: (one.first, one.last) for one in report.outcomes}
    warned = [
        words(
            f"{one.model} was recalibrated on operations of {one.fitted_since} to {one.fitted_through}, which lie in"
            " the weeks validated here: its figures look better than they are, and a gate refuses them."
        )
        for one in report.models
        if one.outcome in days and overlaps_with(one, *days[one.outcome])
    ]
    return [table(("model", "sha256", "recalibration"), rows), *warned]
