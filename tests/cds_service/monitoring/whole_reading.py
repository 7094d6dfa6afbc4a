"""What monitoring counts, from the whole record at once: slow, plain, and what reading by weeks is held against."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, select

from cds_service.follow_up import maturity
from cds_service.follow_up.maturity import Followed
from cds_service.follow_up.planned_operations import PlannedOperation, planned_operations
from cds_service.monitoring import input_drift
from cds_service.monitoring.series import MENDABLE
from cds_service.monitoring.weeks import Weeks
from cds_service.records import export, scores, tables
from cds_service.records.asked_calls import asked_calls
from cds_service.records.outcome_changes import Statement, agreed
from cds_service.records.rows import EvaluationRow
from fhir_mappings.features.feature_catalogue import FEATURES

_EVER = datetime(1970, 1, 1, tzinfo=UTC)
Counted = dict[tuple[str, str], dict[int, tuple[float, float]]]


class Whole:
    """The whole record in memory."""

    def __init__(self, engine: Engine, tenant: str, over: Weeks, horizons: Mapping[str, int | None]) -> None:
        self.over, self._horizons = over, horizons
        self.rows = {row.id: row for row in export.evaluations(engine, tenant, since=_EVER)}
        self.planned = planned_operations(asked_calls(engine, tenant))
        with engine.connect() as connection:
            self._carded = set(connection.execute(select(tables.card.c.evaluation_id)).scalars())
            self.cards = [
                _card(connection, row) for row in connection.execute(select(tables.card)) if row.tenant_id == tenant
            ]
        self._scores = list(scores.scores(engine, tenant, since=_EVER))

    @property
    def standing(self) -> list[tuple[PlannedOperation, EvaluationRow]]:
        return [(of, self.rows[of.last_before.evaluation_id]) for of in self.planned]

    def counted(self) -> Counted:
        """By figure and label, for each week with anything: the sum, and of how many."""
        found: defaultdict[tuple[str, str], dict[int, tuple[float, float]]] = defaultdict(dict)
        for figure, label, day, value in self._counted():
            if (place := self.over.place(day)) is not None:
                first, total = found[figure, label].get(place, (0.0, 0.0))
                found[figure, label][place] = (first + value, total + 1)
        return dict(found)

    def _counted(self) -> Iterator[tuple[str, str, date, float]]:
        for row in self.rows.values():
            day = row.received_at.date()
            yield "errors", "", day, row.decision == "error"
            yield "latency", "", day, math.log(max(row.total_ms, 0.1))
            if row.decision != "error":
                mendable = row.decision == "silence" and (row.reason or "").startswith(MENDABLE)
                yield "silence", "", day, mendable
                if row.inputs or row.unmapped:
                    yield "unmapped", "", day, bool(row.unmapped)
        for of, row in self.standing:
            day = row.received_at.date()
            yield "volume", "", day, 1
            result = row.result or {}
            yield "not-understood", "", day, math.log1p(sum(one["entries"] for one in result.get("notUnderstood", ())))
            yield "firing", "", day, self._got_a_card(of)
            for one in row.inputs:
                if one["name"] in FEATURES and FEATURES[one["name"]].kind != "yes-no":
                    yield "missing", one["name"], day, not one["status"].startswith("used")
        for at, shown, outcome, _, offered, taken in self.cards:
            if shown and outcome is not None:
                yield "acceptance", "", at.date(), outcome == "accepted"
                yield from (("suggestions", rule, at.date(), option in taken) for option, rule in offered.items())
        for row in self.scored():
            yield "severity", row["outcome"], row["asked"], math.log(row["own"] / (1 - row["own"]))

    def lists(self, inputs: tuple[str, ...]) -> dict[int, tuple[int, int]]:
        """By day the calls of which these inputs are missing, of all that have inputs."""
        found: dict[int, tuple[int, int]] = {}
        for row in self.rows.values():
            if row.inputs and (day := self.over.day(row.received_at.date())) is not None:
                told = [one["status"] == "missing" for one in row.inputs if one["name"] in inputs]
                first, total = found.get(day, (0, 0))
                found[day] = (first + (bool(told) and all(told)), total + 1)
        return found

    def _got_a_card(self, of: PlannedOperation) -> bool:
        calls = [one.evaluation_id for one in of.calls]
        return any(one in self._carded or self.rows[one].decision == "again" for one in calls)

    def bins(self, name: str) -> Any:
        """The values of an input by week and part."""
        values = []
        for _, row in self.standing:
            told = {one["name"]: one for one in (row.result or {}).get("inputs", ())}
            place = self.over.place(row.received_at.date())
            is_there = place is not None and name in told and any(one["name"] == name for one in row.inputs)
            if is_there and told[name]["status"].startswith("used") and not isinstance(told[name]["value"], bool):
                values.append((place, float(told[name]["value"])))
        values.sort(key=lambda one: one[0])
        if len(values) < input_drift.FEWEST_BEFORE + input_drift.FEWEST:
            return None
        cuts = input_drift.edges(np.array([value for _, value in values[: 2 * input_drift.FEWEST_BEFORE]]))
        weeks = [[value for place, value in values if place == week] for week in range(self.over.count)]
        return np.array([input_drift.binned(np.array(one, dtype=float), cuts) for one in weeks])

    def scored(self) -> list[dict[str, Any]]:
        """Each operation by the champion of an outcome, with what is known, by day and risk."""
        standing: dict[tuple[str, str], dict[str, Any]] = {}
        said: defaultdict[tuple[str, str], list[Statement]] = defaultdict(list)
        for row in self._scores:
            if not row.get("operation") or row["state"] != "champion":
                continue
            key = (row["operation"], row["outcome"])
            if row.get("occurred") is not None:
                days = (row.get("occurred_on"), row.get("observed_through"), row.get("operated_on"))
                said[key].append(Statement(bool(row["occurred"]), *days))
            figures = (row["probability"], row["raw_probability"])
            if row["of_operation"] and all(one is not None and 0 < one < 1 for one in figures):
                standing.setdefault(key, row)
        found = [self._one(row, said[key]) for key, row in standing.items()]
        return sorted(found, key=lambda one: (one["day"], one["risk"]))

    def _one(self, row: dict[str, Any], said: list[Statement]) -> dict[str, Any]:
        asked = datetime.fromisoformat(row["received_at"]).date()
        day = row["operated_on"] or asked
        known = agreed(said) if said else None
        followed = Followed(day=day, contradicted=bool(said) and known is None)
        if known is not None:
            days = {"occurred_on": known.occurred_on, "observed_through": known.observed_through}
            followed = Followed(day=day, occurred=known.occurred, **days)
        predictions = (self.rows[row["evaluation_id"]].result or {}).get("predictions", ())
        of_model = [
            one
            for one in predictions
            if (one["outcome"], one["model"], one["version"]) == (row["outcome"], row["model"], row["version"])
        ]
        is_known = bool(of_model) or row["outcome"] in self._horizons
        horizon = of_model[-1].get("horizonDays") if of_model else self._horizons.get(row["outcome"])
        groups = (str(row["sex"] or "not known"), str(row["age_band"] or "not known"))
        return {
            "outcome": row["outcome"], "day": day, "asked": asked, "risk": row["probability"], "groups": groups,
            "own": row["raw_probability"], "known": followed, "horizon": horizon, "is_known": is_known,
        }  # fmt: skip

    def standings(self, today: date) -> dict[str, dict[str, int]]:
        found: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for one in self.scored():
            found[one["outcome"]][self._standing(one, today)] += 1
        return {outcome: dict(of) for outcome, of in found.items()}

    def outcomes(self, today: date) -> dict[tuple[str, str], list[tuple[float, bool, date, date]]]:
        """By outcome and group the operations that count: risk, whether it happened, and when it could be known."""
        found: defaultdict[tuple[str, str], list[tuple[float, bool, date, date]]] = defaultdict(list)
        for one in self.scored():
            if self._standing(one, today) == "counts":
                happened = maturity.happened(one["known"], horizon_days=one["horizon"])
                countable = maturity.countable_from(one["day"], horizon_days=one["horizon"])
                for group in {"", *one["groups"]}:
                    found[one["outcome"], group].append((one["risk"], happened, one["day"], countable))
        return dict(found)

    def _standing(self, one: dict[str, Any], today: date) -> str:
        if not one["is_known"]:
            return "horizon not known"
        return maturity.standing(one["known"], horizon_days=one["horizon"], as_of=today)


def _card(connection: Connection, card: Any) -> tuple[datetime, bool, str | None, str | None, dict[str, str], set[str]]:
    """A card by its latest feedback: when, whether shown, what became of it and why, its options, and those taken."""
    option, said, taken = tables.suggestion.c, tables.feedback.c, tables.accepted_suggestion.c
    offered = connection.execute(select(option.uuid, option.rule).where(option.card_uuid == card.uuid)).all()
    answers = connection.execute(select(tables.feedback).where(said.card_uuid == card.uuid)).all()
    if not answers:
        return card.received_at, card.shown, None, None, dict(map(tuple, offered)), set()
    last = max(answers, key=lambda one: (one.outcome_at, one.id))
    accepted = set(connection.execute(select(taken.suggestion_uuid).where(taken.feedback_id == last.id)).scalars())
    return card.received_at, card.shown, last.outcome, last.reason_code, dict(map(tuple, offered)), accepted
