"""The rules of a card's words hold for agreed people in two panels, demonstration, messy cases, real operations."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient

from cds_service.cards.cards import GAP
from cds_service.cards.dialects import DIALECTS
from cds_service.demo import patients
from cds_service.web.app import create_app
from cds_service.web.settings import Settings
from fhir_mappings.terminology.procedure_groups import GROUPS
from tests.acceptance import messy_cases
from tests.acceptance.card_rules import RULES, broken
from tests.acceptance.golden import WITH_A_CARD, card_of
from tests.acceptance.golden_people import PEOPLE, Person
from tests.acceptance.population_orders import ORDERED, VARIANTS, People
from tests.acceptance.test_findings import sent
from tests.cds_service.cards.test_dialects import a_card

Cards = dict[str, dict[str, Any]]
_EVERY = 120  # of the shipped operations
# Of whom the card before every operation is judged, whatever its name is.
BEFORE_ANY_OPERATION = (
    "young-and-well", "the-usual-fusion", "no-asa-class", "nothing-but-a-birthday", "an-asa-class-of-last-spring",
    "codes-of-their-own", "dialysis-and-metastases", "sugar-smoking-and-anaemia", "ill-at-88",
)  # fmt: skip


def a_service(folder: Path, as_of: datetime) -> FlaskClient:
    settings = Settings(demo=True, database_url=f"sqlite:///{folder}/r.sqlite3", state_directory=folder)
    return create_app(settings, clock=lambda: as_of).test_client()


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Cards:
    """Every card of an invented person, by whose it is."""
    found: Cards = {f"{name} dialect": msgspec.to_builtins(a_card(name)) for name in DIALECTS}
    for name, person in WITH_A_CARD.items():
        for panel in ("generic", "oracle"):
            card, _ = card_of(msgspec.structs.replace(person, dialect=panel))
            found[f"{name} {panel}"] = msgspec.to_builtins(card)
    now = datetime.now(UTC)
    for group in GROUPS:
        for name in BEFORE_ANY_OPERATION:
            card, _ = card_of(WITH_A_CARD[name], group)
            if card.detail:  # no model knows the operation
                found[f"{name} {group}"] = msgspec.to_builtins(card)
    http = a_service(tmp_path_factory.mktemp("demonstration"), now)
    for one in patients.load(now):
        told = http.post("/cds-services/surgical-risk", json=sent(one)).get_json()
        found |= {f"{one.id} {number}": card for number, card in enumerate(told["cards"])}
    http = a_service(tmp_path_factory.mktemp("messy"), messy_cases.AS_OF)
    for name in messy_cases.CASES:
        for number, answer in enumerate(messy_cases.post(name, http)):
            for card in (answer.get_json() or {}).get("cards", ()):
                found[f"messy {name} {number}"] = card
    return {name: card for name, card in found.items() if card.get("detail") != GAP}  # a gap has no figure


@pytest.mark.parametrize("rule", RULES)
def test_no_card_of_an_invented_person_breaks_a_rule(cards: Cards, rule: str) -> None:
    assert len(cards) >= 130
    assert broken(rule, cards) == {}


@pytest.fixture(scope="module")
def real(shared: Path) -> Cards:
    """The cards of a sample of the shipped operations, each as its record could be (population_orders.VARIANTS)."""
    people = People(shared / "data" / "surgery_timing.csv")
    return {
        f"{k} {variant}": msgspec.to_builtins(
            card_of(Person(variant, ORDERED[people.groups[k]], tuple(people.resources(k, variant))))[0]
        )
        for k in range(0, len(people.groups), _EVERY)
        for variant in VARIANTS
    }


@pytest.mark.shared
@pytest.mark.parametrize("rule", RULES)
def test_no_card_of_a_real_operation_breaks_a_rule(real: Cards, rule: str) -> None:
    assert len(real) >= 200
    assert broken(rule, real) == {}


# A change to a good card that each rule must find.
SPOILT = {
    "at most 90 words": ("Why: ", "Why: " + "and again " * 40),
    "one denominator": ("Of 1,000 such", "Of 100 such"),
    "no event twice": ("- Death: 8 (usual 8)", "- Death: 8 (usual 8)\n- Death: 9"),
    "the summary's figure is in the list": ("- Death: 8", "- Death: 9"),
    "no word of comparison": ("Why: ", "This is typical. Why: "),
    "never from zero": ("- Heart attack or arrest: 4", "- Heart attack or arrest: 0–4"),
    "a range says why": ("- Heart attack or arrest: 4", "- Heart attack or arrest: 1–4"),
    "each line one fact, the limits last": ("Why: ", "Because: "),
    "reads as plain text": ("Why: ", "Why: # "),
    "no banned word": ("Why: ", "Why: high risk patient, "),
    "ninth grade, the operation's name counted": ("Why: ", "Why: " + "extraordinary complicated considerations, " * 9),
}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_finds_what_breaks_it(rule: str) -> None:
    good: dict[str, Any] = msgspec.to_builtins(card_of(PEOPLE["the-usual-fusion"])[0])
    old, new = SPOILT[rule]
    plain = good["detail"].replace("**", "")
    assert old in plain
    assert broken(rule, {"good": good}) == {}
    assert list(broken(rule, {"spoilt": good | {"detail": plain.replace(old, new)}})) == ["spoilt"]
