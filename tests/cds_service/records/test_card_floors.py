"""The floors that keep a tenant's budget, found in what was recorded while nothing was shown."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from cds_service.cards import discrete
from cds_service.commands import cli
from cds_service.records import card_floors
from cds_service.records.card_floors import Risk
from cds_service.records.records import Records
from cds_service.records.rows import EvaluationRow
from tests.builders import Resource
from tests.cds_service.advice import people
from tests.cds_service.records.rows_of import NOON, an_evaluation
from tests.conformance.conftest import a_tenant_file


def a_prediction(**members: Any) -> dict[str, Any]:
    given = {"outcome": "any-complication", "status": "computed", "shown": True, "probability": 0.2}
    return given | {"peerProbability": 0.1} | members


def operations(count: int = 200) -> tuple[card_floors.Operation, ...]:
    return tuple((Risk("any-complication", k / count, 0.1),) for k in range(count))


@pytest.mark.parametrize("budget", [0.9, 0.5, 0.25, 0.1])
def test_the_least_floors_that_keep_the_budget(budget: float) -> None:
    found = card_floors.within(operations(), budget)
    assert found is not None
    assert budget - 0.06 < card_floors.share(operations(), found) <= budget


def test_where_nothing_keeps_the_budget_nothing_is_said_to() -> None:
    certain = (Risk("any-complication", 1.0, 0.1),)
    assert card_floors.within([certain] * 100, 0.25) is None


def test_what_counts_is_what_a_card_would_have_opened_by(records: Records) -> None:
    told = {
        "p-1": a_prediction(),
        "p-2": a_prediction(status="range", probability=None, missingRange={"low": 0.1, "high": 0.4}),
        "p-3": a_prediction(status="not-computable", probability=None, missingRange={"low": 0.1, "high": 0.4}),
        "p-4": a_prediction(shown=False),
        "p-5": a_prediction(outcome="frailty"),
    }
    rows = [an_evaluation(patient_id=who, result={"predictions": [one]}) for who, one in told.items()]
    again = an_evaluation(patient_id="p-1", received_at=NOON + timedelta(hours=1))
    rows += [msgspec.structs.replace(again, result={"predictions": [a_prediction(probability=0.3)]})]
    rows += [an_evaluation(tenant_id="other"), an_evaluation(result=None)]
    write(records, rows)
    found = card_floors.assessed_operations(records.durable, "general-hospital", since=NOON)
    assert sorted([risk.probability for risk in one] for one in found) == [[], [], [0.1], [0.3], [0.4]]


@pytest.mark.parametrize("resources", [(), (people.asa(3),)])
def test_the_record_holds_what_silence_went_by(records: Records, resources: tuple[Resource, ...]) -> None:
    assessment = people.an_assessment(*resources)
    told = msgspec.json.decode(msgspec.json.encode(discrete.of(assessment)))
    write(records, [an_evaluation(result=told)])
    (found,) = card_floors.assessed_operations(records.durable, "general-hospital", since=NOON)
    by = {one.outcome.name: (one.spoken_of, one.usual) for one in assessment.estimates if one.outcome.may_head}
    assert {one.outcome: (one.probability, one.usual) for one in found} == by


def write(records: Records, rows: list[EvaluationRow]) -> None:
    for row in rows:
        records.write_evaluation(row)
    assert records.flush(5)


def asked(folder: Path, url: str) -> Result:
    told = ["record", "floors", "general-hospital", "--tenants", str(folder), "--database", url]
    return CliRunner().invoke(cli.main, told)


def test_the_command_tells_the_floors_of_the_budget_and_changes_nothing(
    records: Records, url: str, tmp_path: Path
) -> None:
    rows = [
        an_evaluation(patient_id=f"p-{k}", result={"predictions": [a_prediction(probability=k / 200)]})
        for k in range(200)
    ]
    write(records, rows)
    told = asked(a_tenant_file(tmp_path / "tenants", card_floor=None, card_budget=0.25), url)
    assert told.exit_code == 0, told.output
    _, first, second = told.output.splitlines()
    assert first == "200 operations; now 84.0 % have a card"
    assert 20.0 < float(second.split(" ")[0]) <= 25.0
    assert "card_floors: {30-day-death: " in second


def test_the_command_needs_a_budget_and_a_hundred_operations(records: Records, url: str, tmp_path: Path) -> None:
    write(records, [an_evaluation()])
    without = asked(a_tenant_file(tmp_path / "without"), url)
    few = asked(a_tenant_file(tmp_path / "few", card_budget=0.25), url)
    assert "has a card_budget" in without.output
    assert "100 are needed" in few.output
    assert (without.exit_code, few.exit_code) == (1, 1)
