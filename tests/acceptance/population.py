"""When a card speaks, among real people: `python -m tests.acceptance.population` writes docs/when-a-card-speaks.md.

Each person is answered by the very functions of cds_service/answer.py, with models that never saw that person.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np

from cds_service.advice import choice, model_inputs, silence
from cds_service.advice.assessment import Occasion, assess
from cds_service.advice.bands import BandLimits
from cds_service.advice.choice import Advising
from cds_service.tenants import speaking
from fhir_mappings.features import features
from fhir_mappings.orders import procedures
from fhir_mappings.orders.procedures import PlannedProcedure
from fhir_mappings.patient import patient_record
from models_onnx.registry import Registry
from models_onnx.training import held_out, surgery_timing
from models_onnx.training import speaking as candidates
from models_onnx.training.speaking import Catch, Marks
from tests import builders
from tests.acceptance import population_table
from tests.acceptance.golden_people import PCS
from tests.acceptance.population_orders import ORDERED, VARIANTS, People
from tests.cds_service.advice import people

DOCUMENT = Path(__file__).parents[2] / "docs" / "when-a-card-speaks.md"
ADVISING = Advising(codes=people.CODES, maps=builders.DEMO_MAPS)


class Spoken(msgspec.Struct):
    """By variant, who has a card and who is warned; `of`: the people asked, by their number."""

    of: list[int]
    cards: dict[str, list[bool]]
    warnings: dict[str, list[bool]]
    openers: dict[str, int]

    def marks(self, variant: str, *, warned: bool = False) -> Marks:
        """Of one variant, whether each of the people has a card, or is warned."""
        return np.array((self.warnings if warned else self.cards)[variant], dtype=bool)


def planned() -> dict[str, PlannedProcedure]:
    """Each procedure group as it is ordered."""
    found = {}
    for group, code in ORDERED.items():
        order = builders.as_json([builders.an_order((PCS, code))])
        read = procedures.planned(order, patient_id=builders.PATIENT_ID, maps=builders.DEMO_MAPS)
        assert isinstance(read, tuple)
        assert read[0].group == group
        found[group] = read[0]
    return found


def spoken(population: People, numbers: Iterable[int], models: Registry) -> Spoken:
    """Whether these people have a card, and are warned, in every variant."""
    told = Spoken([*numbers], {v: [] for v in VARIANTS}, {v: [] for v in VARIANTS}, dict.fromkeys(VARIANTS, 0))
    by_group = planned()
    for variant in VARIANTS:
        for k in told.of:
            card, warned, opener = answered(population.resources(k, variant), by_group[population.groups[k]], models)
            told.cards[variant].append(card)
            told.warnings[variant].append(warned)
            told.openers[variant] += opener
    return told


def answered(
    resources: list[builders.Resource], procedure: PlannedProcedure, models: Registry
) -> tuple[bool, bool, bool]:
    """Derive, score, assess, choose, silence: whether a production tenant shows a card, warns, and by an opener."""
    record = patient_record.read_record(
        builders.searches(*resources),
        patient_id=builders.PATIENT_ID,
        as_of=builders.AS_OF,
        zone=builders.ZONE,
        maps=builders.DEMO_MAPS,
    )
    known = features.derive(record, procedure)
    assert silence.for_patient(record, known) is None
    unknowns = model_inputs.unknowns(record, known)
    scores = models.score(model_inputs.values(known), model_inputs.limits(known), unknowns.opened)
    assert silence.for_scores(models.champions(scores)) is None
    assessment = assess(
        known,
        scores,
        procedure=procedure,
        models=models,
        limits=BandLimits(),
        occasion=Occasion(people.ASSESSMENT_ID, builders.AS_OF, builders.ZONE),
        unknowns=unknowns,
    )
    order = builders.as_json([builders.an_order((PCS, ORDERED[procedure.group]))])
    chosen = choice.for_patient(assessment, record, order, advising=ADVISING)
    reason = silence.for_floor(assessment, speaking.CARD_FLOORS, opened=chosen.opens)
    return reason is None, reason is None and assessment.indicator == "warning", chosen.opens


def folds(population: People) -> Iterator[Spoken]:
    """Fold by fold, everybody by models that were fitted on the others."""
    for train, test in held_out.splits(population.operations):
        with tempfile.TemporaryDirectory() as folder:
            yield spoken(population, test.tolist(), held_out.models(population.operations, train, Path(folder)))


def together(parts: Sequence[Spoken]) -> Spoken:
    """All folds as one, in the order of the people."""
    order = np.argsort([k for part in parts for k in part.of])

    def joined(of: str, variant: str) -> list[bool]:
        return np.concatenate([getattr(part, of)[variant] for part in parts])[order].tolist()

    return Spoken(
        of=sorted(k for part in parts for k in part.of),
        cards={v: joined("cards", v) for v in VARIANTS},
        warnings={v: joined("warnings", v) for v in VARIANTS},
        openers={v: sum(part.openers[v] for part in parts) for v in VARIANTS},
    )


def catches(population: People, told: Spoken, *, warned: bool = False) -> dict[str, Catch]:
    """By variant, what the cards, or the warnings, catch among the people who were asked."""
    asked = held_out.subset(population.operations, np.array(told.of))
    return {v: candidates.caught(told.marks(v, warned=warned), asked) for v in VARIANTS}


def document(data: Path = surgery_timing.DATA) -> str:
    """Ask about everybody, and tell it."""
    population = People(data)
    told = together([*folds(population)])
    compared = {
        (burden, asa): candidates.compare(population.operations, burden, asa=asa)
        for burden in population_table.CHOSEN
        for asa in (True, False)
    }
    cards, warnings = catches(population, told), catches(population, told, warned=True)
    return population_table.text(population, told, cards, warnings, compared)


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
