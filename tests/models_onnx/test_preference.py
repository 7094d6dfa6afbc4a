"""The order of registry.yaml alone says which model is told; a champion has one place there, or the service stops."""

from __future__ import annotations

import ast
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import msgspec
import pytest

import cds_service
from cds_service.advice import assessment
from cds_service.advice.outcomes import BURDENS, BY_NAME
from cds_service.answering import model_input_contract
from cds_service.answering.model_input_contract import ContractError
from models_onnx import preference, registry
from models_onnx.model_card import ModelError
from models_onnx.preference import Entry
from models_onnx.registry import PACKAGE, Registry, load, read_entries
from models_onnx.score import Score

SHIPPED = read_entries(PACKAGE / "registry.yaml")
CARDS = {(card.name, card.version): card for card in registry.cards()}
SHARED = [names for names in preference.of(SHIPPED, CARDS).values() if len(names) > 1]
Change = Callable[[list[Entry]], list[Entry]]


@pytest.fixture(scope="module")
def models() -> Registry:
    return load(class_b=True)


def test_the_shipped_order_is_the_one_that_cards_were_told_by(models: Registry) -> None:
    assert models.preferred == {
        "30-day-death": ("sort-2014", "elective-death"),
        "any-complication": ("elective-complication",),
        "cardiac-arrest-or-mi": ("gupta-mica", "gscri"),
        "respiratory-failure": ("gupta-respiratory-failure",),
        "pneumonia": ("gupta-pneumonia",),
        "major-cardiac-event": ("rcri",),
        "pulmonary-complication": ("ariscat",),
        "nausea-and-vomiting": ("apfel",),
        "frailty": ("mfi-5", "hfrs"),
        "comorbidity-burden": ("charlson-quan",),
    }


def test_every_champion_is_told_for_its_outcome_or_says_that_it_stands_beside(models: Registry) -> None:
    beside = {entry.model for entry in SHIPPED if entry.beside}
    for entry in SHIPPED:
        named = [outcome for outcome, names in models.preferred.items() for name in names if name == entry.model]
        assert named == ([] if entry.model in beside else [CARDS[entry.model, entry.version].outcome])


@pytest.mark.parametrize("names", SHARED, ids=lambda names: names[0])
def test_whichever_stands_first_is_told(names: tuple[str, ...]) -> None:
    outcome = BY_NAME[next(card.outcome for card in CARDS.values() if card.name == names[0])]
    by_name = {entry.model: entry for entry in SHIPPED}
    for order in permutations(names):
        moved = [entry for entry in SHIPPED if entry.model not in names] + [by_name[name] for name in order]
        served = load(entries=moved, class_b=True)
        scores = {
            name: Score(model=name, version="1.0.0", sha256="0", outcome=outcome.name, horizon="", status="computed",
                        probability=0.1)
            for name in names
        }  # fmt: skip
        told = assessment._told(outcome, scores, served)
        assert told is not None
        assert told.model == order[0]


def twice(entries: list[Entry]) -> list[Entry]:
    return [*entries, entries[0]]


def nowhere(entries: list[Entry]) -> list[Entry]:
    return entries[1:]


def nobody(entries: list[Entry]) -> list[Entry]:
    return [msgspec.structs.replace(entry, beside=True) for entry in entries]


def undecided(entries: list[Entry]) -> list[Entry]:
    return [*entries, Entry(model=entries[0].model, version="9.0.0", state="retired", beside=True)]


def two_champions(entries: list[Entry]) -> list[Entry]:
    return [*entries, msgspec.structs.replace(entries[0], version="9.0.0")]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (nobody, "no model would be told"),
        (undecided, "sort-2014: one version stands beside, another does not"),
        (two_champions, "a model has two champions: sort-2014"),
    ],
)
def test_a_file_that_leaves_a_place_open_is_refused(change: Change, says: str) -> None:
    entries = change(list(SHIPPED))
    with pytest.raises(ModelError, match=says):
        preference.of(entries, CARDS | {("sort-2014", "9.0.0"): CARDS["sort-2014", "1.0.0"]})


@pytest.mark.parametrize("change", [twice, nowhere])
def test_a_version_that_is_not_named_once_is_refused(change: Change) -> None:
    with pytest.raises(ModelError, match=r"sort-2014 1\.0\.0: registry\.yaml must name it once"):
        load(entries=change(list(SHIPPED)))


def test_a_promotion_to_a_version_named_later_moves_no_model() -> None:
    later = Entry(model="sort-2014", version="9.0.0", state="champion")
    entries = [msgspec.structs.replace(one, state="challenger") if one.model == "sort-2014" else one for one in SHIPPED]
    order = preference.of([*entries, later], CARDS | {("sort-2014", "9.0.0"): CARDS["sort-2014", "1.0.0"]})
    assert order["30-day-death"] == ("sort-2014", "elective-death")


def test_a_champion_whose_outcome_no_card_tells_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    served = load(class_b=True)
    for outcome in tuple(BY_NAME):
        with monkeypatch.context() as patched:
            patched.delitem(BY_NAME, outcome)
            names = {name for (name, _), card in CARDS.items() if card.outcome == outcome}
            champions = {entry.model for entry in SHIPPED if entry.state == "champion"} & names
            if not champions:
                model_input_contract.check(served)
                continue
            with pytest.raises(ContractError, match=f"no card tells its outcome {outcome}"):
                model_input_contract.check(served)


def test_no_order_of_models_stands_in_the_service() -> None:
    names = {card.name for card in CARDS.values()} - BURDENS
    found = [
        f"{path.name}:{node.lineno}"
        for path in Path(cds_service.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Tuple | ast.List)
        if names & {one.value for one in node.elts if isinstance(one, ast.Constant)}
    ]
    assert found == []
