"""Tables, plots and words of the validation report's page; every text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from cds_service.measures.intervals import Figure
from cds_service.pages.svg import Axis, Paper, ticks
from cds_service.validation.evidence import written
from cds_service.validation.outcome_figures import OutcomeFigures
from cds_service.validation.threshold_counts import ThresholdCurve
from cds_service.validation.told_counts import CountTable

HIDDEN = "not told"
Cell = str | tuple[str, str]  # words, or words and their class


def section(title: str, *parts: str) -> str:
    """A part of the page."""
    return f"<section><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def words(text: str, *, quiet: bool = False) -> str:
    """A paragraph."""
    return f"<p{' class=quiet' if quiet else ''}>{escape(text)}</p>"


def table(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table whose first column names the row; on a phone each row stands by itself."""
    body = "".join(f"<tr>{''.join(_cell(at, cell, heads[at]) for at, cell in enumerate(row))}</tr>" for row in rows)
    if not body:
        return words("None.", quiet=True)
    head = "".join(f"<th scope=col>{escape(one)}</th>" for one in heads)
    return f"<div class=scroll><table class=wide><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _cell(at: int, cell: Cell, name: str) -> str:
    text, kind = (cell, "") if isinstance(cell, str) else cell
    if at == 0:
        return f"<th scope=row>{escape(text)}</th>"
    named = f' data-name="{escape(name)}"' if name and text else ""
    return f"<td{named}{f' class={kind}' if kind else ''}>{escape(text)}</td>"


def counts(of: CountTable, name: str, *, part: str = "") -> str:
    """A table of counts, with what is hidden told together."""
    heads = [name, "number", *([part] if part else [])]
    rows = [*of.rows, *([of.together] if of.together else [])]
    told = [[one.name, number(one.n), *([number(one.of)] if part else [])] for one in rows]
    return table(heads, told)


def number(count: int | None) -> str:
    """A count; words where it may not be told."""
    return HIDDEN if count is None else f"{count:,}"


def fewer(count: int | None) -> str:
    """A total; words where it is small."""
    return "fewer than 10" if count is None else f"{count:,}"


def share(value: float | None) -> str:
    """A share in per cent; words where it is not known."""
    return "not known" if value is None else f"{100 * value:.1f} %"


def figure_rows(of: OutcomeFigures) -> list[list[Cell]]:
    """Each figure of an outcome with its interval and how it is read."""
    found: list[list[Cell]] = [
        ["Discrimination (AUROC)", written(of.auroc), "0.5: chance; 1: always right"],
        ["Observed to expected", written(of.o_e), "above 1: told too low; below 1: told too high"],
        ["Not followed through the horizon", *_lost(of)],
        ["Calibration slope", written(of.slope), "below 1: told too far apart; above 1: too close together"],
        ["Calibration intercept (slope 1)", written(of.intercept), "log-odds; above 0: told too low"],
        ["Brier score", written(of.brier), "mean squared error; less is better"],
        ["Mean predicted", "not known" if of.mean_predicted is None else share(of.mean_predicted), ""],
    ]
    if of.at_floor is not None and of.floor is not None:
        at = f"at the floor of {100 * of.floor:g} %"
        for name, one in (
            ("Share with a card", of.at_floor.marked),
            ("Sensitivity", of.at_floor.sensitivity),
            ("False positive rate", of.at_floor.false_positive_rate),
            ("Positive predictive value", of.at_floor.predictive_value),
        ):
            found.append([name, percent(one), at])
    return found


def _lost(of: OutcomeFigures) -> list[Cell]:
    """The share, and what it can do: of those lost an early event counts and its absence does not."""
    if of.lost is None:
        return ["not known", ""]
    told = "their events count, the rest of them does not: observed to expected leans upwards"
    if of.o_e.value is not None:
        told += f"; had nothing happened to all of these, it would be {of.o_e.value * (1 - of.lost):.3g}"
    return [f"at most {share(of.lost)}", told]


def percent(figure: Figure) -> str:
    """A share with its interval in per cent."""
    if figure.value is None or figure.low is None or figure.high is None:
        return written(figure)
    return f"{100 * figure.value:.1f} % ({100 * figure.low:.1f} to {100 * figure.high:.1f})"


def figure(svg: object, caption: str) -> str:
    """A plot with what it says below it."""
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def calibration_plot(of: OutcomeFigures) -> str:
    """Predicted against observed in groups of rising risk, each with its interval."""
    if not of.groups:
        return ""
    highest = max(max(one.predicted, one.observed.high or 0.0) for one in of.groups)
    marks = ticks(highest)
    axis = Axis("Predicted risk", 0.0, marks[-1], marks)
    paper = Paper("Calibration", axis, Axis("Observed share", 0.0, marks[-1], marks))
    paper.line([(0.0, 0.0), (marks[-1], marks[-1])], "plot-reference")
    paper.points(
        [(one.predicted, one.observed.value or 0.0, one.observed.low, one.observed.high) for one in of.groups],
        "plot-model",
    )
    told = "; ".join(f"{100 * one.predicted:.1f} % told, {percent(one.observed)} happened" for one in of.groups)
    caption = (
        "Calibration: each point is a group of neighbouring risks with its 95 % interval; on the dashed line what was"
        " told is what happened."
    )
    return figure(paper.finished(f"Calibration: {told}"), caption)


def decision_plot(of: OutcomeFigures) -> str:
    """Net benefit by threshold, beside acting for everyone and for no one."""
    rows = of.decision_curve
    if not rows:
        return ""
    across = ticks(rows[-1].threshold)
    top = ticks(max(max(one.model.value or 0.0, one.everyone) for one in rows))
    low = -0.2 * top[-1]
    paper = Paper(
        "Decision curve",
        Axis("Risk from which one would act", 0.0, across[-1], across),
        Axis("Net benefit", low, top[-1], top, percent=False),
    )
    paper.line([(0.0, 0.0), (across[-1], 0.0)], "plot-none")
    paper.line([(one.threshold, one.everyone) for one in rows if one.everyone >= low], "plot-reference")
    paper.line([(one.threshold, one.model.value or 0.0) for one in rows], "plot-model")
    paper.points([(one.threshold, one.model.value or 0.0, one.model.low, one.model.high) for one in rows], "plot-model")
    caption = (
        "Decision curve: deciding by the told risk (solid, 95 % intervals) beside acting for everyone (dashed) and for"
        " no one (zero)."
    )
    return figure(paper.finished("Decision curve: net benefit by the risk from which one would act."), caption)


def threshold_plot(of: ThresholdCurve, weeks: int, at_most: float) -> str:
    """Cards or warnings a week at each threshold."""
    found = [one for one in of.steps if one.threshold <= at_most]
    if not found or not weeks:
        return ""
    points = [(one.threshold, one.operations / weeks) for one in found]
    across, top = ticks_to(at_most), ticks_to(max(y for _, y in points))
    percents = of.in_force < 1
    name = of.moved if percents else f"{of.moved}, times those in force"
    paper = Paper(
        of.moved,
        Axis(name, 0.0, across[-1], across, percent=percents),
        Axis(f"Operations with a {of.what} a week", 0.0, top[-1], top, percent=False),
    )
    paper.line(points, "plot-model")
    paper.line([(of.in_force, 0.0), (of.in_force, top[-1])], "plot-reference")
    caption = f"{of.moved}: from here on a {of.what}; the dashed line is what is in force."
    return figure(paper.finished(caption), caption)


def ticks_to(high: float) -> tuple[float, ...]:
    """Round marks from 0 to at least `high`, however large."""
    step = next(s for k in range(-4, 7) for m in (1, 2, 5) if (s := m * 10.0**k) * 5 >= high)
    return tuple(round(step * at, 6) for at in range(6) if step * (at - 1) < high)
