"""The same patient gets the same answer from a real HAPI FHIR server, from SEKMET and from the embedded store."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from cds_service.ehr import caller
from tests.end_to_end import people
from tests.end_to_end.conftest import TOKEN

pytestmark = pytest.mark.end_to_end
COMPUTED = ("sort-2014", "gupta-mica", "gupta-respiratory-failure")


def ask(service: str, base: str, person: people.Person, *, token: str | None = None, prefetch: bool) -> dict[str, Any]:
    ehr = caller.Ehr(service_url=service, fhir_url=base, fhir_token=token)
    return caller.call(ehr, person.id, person.order, prefetch=prefetch)


def predictions(answer: dict[str, Any]) -> dict[str, Any]:
    """What was predicted, by model; the reason where nothing was."""
    if not answer["cards"]:
        return dict(answer["extension"]["io.surgical-risk.silence"])
    result = answer["cards"][0]["extension"]["io.surgical-risk.assessment"]
    told = ("status", "probability", "points", "needs")
    return {p["model"]: {name: p[name] for name in told if name in p} for p in result["predictions"]}


@pytest.fixture(scope="module")
def from_store(service: str, store: str, folk: tuple[people.Person, ...]) -> dict[str, dict[str, Any]]:
    return {person.id: predictions(ask(service, store, person, prefetch=True)) for person in folk}


@pytest.mark.parametrize("prefetch", [True, False], ids=["prefetch", "fetch"])
def test_hapi_gives_the_answer_of_the_embedded_store(
    service: str,
    hapi: str,
    folk: tuple[people.Person, ...],
    from_store: dict[str, dict[str, Any]],
    prefetch: bool,
) -> None:
    answers = {person.id: predictions(ask(service, hapi, person, prefetch=prefetch)) for person in folk}
    assert answers == from_store


@pytest.mark.parametrize("prefetch", [True, False], ids=["prefetch", "fetch"])
def test_sekmet_gives_the_answer_of_the_embedded_store(
    service: str,
    sekmet: str,
    folk: tuple[people.Person, ...],
    from_store: dict[str, dict[str, Any]],
    prefetch: bool,
) -> None:
    answers = {person.id: predictions(ask(service, sekmet, person, token=TOKEN, prefetch=prefetch)) for person in folk}
    assert answers == from_store


def test_every_synthea_patient_has_the_three_equations_computed(
    folk: tuple[people.Person, ...], from_store: dict[str, dict[str, Any]]
) -> None:
    synthea = [person for person in folk if not person.id.startswith("demo-")]
    for person in synthea:
        assert {model: from_store[person.id][model]["status"] for model in COMPUTED} == dict.fromkeys(
            COMPUTED, "computed"
        )
    assert len(synthea) == (10 if people.SYNTHEA.exists() else 0)


def test_without_the_token_sekmet_answers_401_and_the_service_412(
    service: str, sekmet: str, folk: tuple[people.Person, ...]
) -> None:
    assert requests.get(f"{sekmet}/Patient/{folk[0].id}", timeout=30).status_code == 401
    with pytest.raises(caller.CallError, match="412"):
        ask(service, sekmet, folk[0], prefetch=False)


def test_the_first_demo_patient_has_the_published_sort_risk(
    folk: tuple[people.Person, ...], from_store: dict[str, dict[str, Any]]
) -> None:
    assert from_store[folk[0].id]["sort-2014"]["probability"] == pytest.approx(0.008187, abs=5e-7)
