"""The discrete result as people read it: outcomes in words and on one axis, inputs with status, source and day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from cds_service.advice import number_text, outcomes
from cds_service.advice.outcomes import BY_NAME
from cds_service.cards import estimate_text
from cds_service.pages import axis, bars, whose_model
from cds_service.pages.axis import Chart
from cds_service.pages.bars import Pulls
from cds_service.pages.input_row import InputRow, input_row
from cds_service.pages.words import SYSTEM_WORDS, WHY_WORDS, label, plain
from models_onnx.score import Range


class RiskRow(msgspec.Struct, frozen=True, kw_only=True):
    """One prediction as a row: the answer, what it is compared with, and what pulls it."""

    heading: str
    horizon: str
    model: str
    version: str
    outcome: str
    status: str
    status_words: str
    shown: bool
    answer: str
    page: str
    percent: str = ""
    interval: str = ""
    peers: str = ""
    band: str = ""
    missing_range: str = ""
    pulls: Pulls | None = None
    rates: tuple[str, ...] = ()


class MissedRow(msgspec.Struct, frozen=True, kw_only=True):
    """What of one list was not understood: how many entries of how many, why, and by which codes."""

    title: str
    entries: int
    of: int
    reasons: str
    codes: tuple[tuple[str, str, int], ...]

    @property
    def systems(self) -> tuple[tuple[str, str], ...]:
        """The codes by their system: its name, and each code with its number of entries where there are several."""
        found: dict[str, list[str]] = {}
        for system, code, entries in self.codes:
            found.setdefault(system, []).append(f"{code} ({entries})" if entries > 1 else code)
        return tuple((SYSTEM_WORDS.get(system, system), ", ".join(codes)) for system, codes in found.items())


class ResultRows(msgspec.Struct, frozen=True, kw_only=True):
    """What a page shows of one assessment: told risks first, then the others, and every input.

    `chart`: the told ones that have a probability, on one axis.
    """

    as_of: str
    procedure: Mapping[str, Any]
    told: tuple[RiskRow, ...]
    others: tuple[RiskRow, ...]
    used: tuple[InputRow, ...]
    unused: tuple[InputRow, ...]
    missed: tuple[MissedRow, ...] = ()
    chart: Chart | None = None


def result_rows(discrete: Mapping[str, Any], zone: ZoneInfo) -> ResultRows:
    """The rows of a discrete result (interface: "The discrete result")."""
    inputs = [input_row(row, zone) for row in discrete["inputs"]]
    missing = frozenset(row.code for row in inputs if not row.good)
    predictions = discrete["predictions"]
    told = [one for one in predictions if one.get("shown")]
    explained = _Explained.of(predictions, told, missing)
    risks = [_risk(prediction, explained) for prediction in predictions]
    return ResultRows(
        as_of=number_text.minute(datetime.fromisoformat(discrete["asOf"]), zone),
        procedure=discrete["procedure"],
        told=tuple(risk for risk in risks if risk.shown),
        others=tuple(risk for risk in risks if not risk.shown),
        used=tuple(row for row in inputs if row.good),
        unused=tuple(row for row in inputs if not row.good),
        missed=tuple(_missed(one) for one in discrete.get("notUnderstood", ())),
        chart=axis.chart([(heading(one), one) for one in told]),
    )


class _Explained(msgspec.Struct, frozen=True):
    """What the bars of all predictions share: their denominator, their scale, and the inputs without a value."""

    denominator: int
    longest: float
    missing: frozenset[str]

    @classmethod
    def of(
        cls, predictions: Sequence[Mapping[str, Any]], told: Sequence[Mapping[str, Any]], missing: frozenset[str]
    ) -> _Explained:
        explained = [one for one in predictions if whose_model.adds_up(one)]
        return cls(axis.denominator(told), bars.longest(explained), missing)

    def pulls(self, prediction: Mapping[str, Any]) -> Pulls | None:
        if not whose_model.adds_up(prediction):
            return None
        return bars.pulls(prediction, self.denominator, self.longest, self.missing)


def heading(prediction: Mapping[str, Any]) -> str:
    """The outcome of a prediction as a page heads it; of a site's own model with whose it is."""
    if added := prediction.get("added"):
        return f"{added['heading']} (this site's model)"
    name = prediction["outcome"]
    return outcomes.heading(name, prediction["model"]) if name in BY_NAME else plain(name)


_LISTS = {"conditions": "Diagnoses", "medications": "Medicines", "procedures": "Procedures", "reports": "Reports"}


def _missed(found: Mapping[str, Any]) -> MissedRow:
    ordered = sorted(found["reasons"].items(), key=lambda one: -one[1])
    return MissedRow(
        title=_LISTS.get(found["list"], found["list"]),
        entries=found["entries"],
        of=found["of"],
        reasons=", ".join(f"{count} {WHY_WORDS.get(why, plain(why))}" for why, count in ordered),
        codes=tuple((one["system"], one["code"], one["entries"]) for one in found["codes"]),
    )


def _risk(prediction: Mapping[str, Any], explained: _Explained) -> RiskRow:
    of = whose_model.denominator(prediction)
    told = RiskRow(
        heading=heading(prediction),
        horizon=prediction["horizon"],
        model=prediction["model"],
        version=prediction["version"],
        outcome=prediction["outcome"],
        status=prediction["status"],
        status_words=plain(prediction["status"]),
        shown=bool(prediction.get("shown")),
        answer=_answer(prediction),
        page=whose_model.page(prediction),
        rates=_rates(prediction),
        pulls=explained.pulls(prediction),
    )
    if prediction["status"] == "range" and "missingRange" in prediction:
        return msgspec.structs.replace(told, **_ranged(prediction, of))
    if prediction["status"] != "computed":
        return _without_figure(told, prediction.get("missingRange"), of)
    return msgspec.structs.replace(told, **_computed(prediction, of))


def _rates(prediction: Mapping[str, Any]) -> tuple[str, ...]:
    """The published rates of the points; of a range those of either end."""
    points = prediction.get("pointsRange")
    if not points:
        return tuple(
            f"{_study(rate)}: {_percent(rate['probability'])}" for rate in prediction.get("publishedRates", ())
        )
    return tuple(
        f"{_study(rate)}: {_percent(rate['probability'])} at {points[end]:g}"
        for end, rates in (("low", "ratesLow"), ("high", "ratesHigh"))
        for rate in points.get(rates, ())
    )


_COUNTED = {
    "CCS 2017": "heart attack, cardiac arrest or death",
    "Lee 1999 validation": "major heart complication",
}


def _study(rate: Mapping[str, Any]) -> str:
    """Where a rate was published, what it counts and over what time (R-B04): two of one score count two things."""
    source = str(rate["source"])
    told = ", ".join(words for words in (_COUNTED.get(source, ""), estimate_text.HORIZONS.get(source, "")) if words)
    return f"{source} ({told})" if told else source


def _answer(prediction: Mapping[str, Any]) -> str:
    if points := prediction.get("pointsRange"):
        return f"{points['low']:g} to {points['high']:g} of {prediction['maximumPoints']:g} points"
    if prediction["status"] == "score-only":
        return f"{prediction['points']:g} of {prediction['maximumPoints']:g} points"
    needs = ", ".join(_within(label(name)) for name in prediction.get("needs", ()))
    return f"needs {needs}" if needs else str(prediction.get("reason", "")).replace("-", " ")


def _within(label: str) -> str:
    """As it stands within a sentence: "ASA class" and "eGFR" stay as they are."""
    first = label.partition(" ")[0]
    return label if first[1:] != first[1:].lower() else label[:1].lower() + label[1:]


def _without_figure(told: RiskRow, limits: Mapping[str, float] | None, denominator: int) -> RiskRow:
    """Points, or what is lacking; and between which figures it lies where that is known, as in the chart above it."""
    if not limits:
        return told
    between = estimate_text.between(Range(limits["low"], limits["high"]), denominator)
    return msgspec.structs.replace(
        told,
        answer=f"{between}; {told.answer}",
        status_words=plain("range"),
        missing_range=_range(limits["low"], limits["high"], denominator),
    )


def _missing_range(prediction: Mapping[str, Any], denominator: int) -> str:
    limits = prediction.get("missingRange")
    return _range(limits["low"], limits["high"], denominator) if limits else ""


def _ranged(prediction: Mapping[str, Any], denominator: int) -> dict[str, Any]:
    """Where there is no single number: from where to where it lies."""
    limits = prediction["missingRange"]
    return {
        "answer": estimate_text.between(Range(limits["low"], limits["high"]), denominator),
        "percent": _range(limits["low"], limits["high"], denominator),
        "peers": _peers(prediction, denominator),
        "band": plain(prediction.get("band", "")),
    }


def _peers(prediction: Mapping[str, Any], denominator: int) -> str:
    peer = prediction.get("peerProbability")
    return f"{number_text.count_in(peer, denominator)} ({prediction['peerGroup']})" if peer is not None else ""


def _computed(prediction: Mapping[str, Any], denominator: int) -> dict[str, Any]:
    probability = prediction["probability"]
    return {
        "answer": number_text.frequency(probability, denominator),
        "percent": _percent(probability, denominator),
        "interval": _range(prediction["low"], prediction["high"], denominator) if "low" in prediction else "",
        "peers": _peers(prediction, denominator),
        "band": plain(prediction.get("band", "")),
        "missing_range": _missing_range(prediction, denominator),
    }


def _range(low: float, high: float, denominator: int) -> str:
    return f"{_percent(low, denominator)} to {_percent(high, denominator)}"


def _percent(probability: float, denominator: int = 1000) -> str:
    """As on the card; a narrow column does not part the sign from its number."""
    return number_text.percent(probability, denominator).replace(" %", "\u00a0%")
