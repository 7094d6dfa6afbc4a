"""Invented people before surgery, read and scored by the real mapping and the real models."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from cds_service.advice import choice, model_inputs
from cds_service.advice.assessment import Assessment, Occasion, assess
from cds_service.advice.bands import BandLimits
from cds_service.advice.choice import Advising
from cds_service.advice.facts import Facts, gather
from cds_service.advice.options import Option, Policy
from cds_service.cards import cards
from cds_service.cards.cards import Place
from cds_service.cards.suggestions import Session
from cds_service.hooks.card import Card
from fhir_mappings.features import existing_tests, features
from fhir_mappings.fhir.search_result import SearchResult
from fhir_mappings.orders import order_codes, pending_orders
from fhir_mappings.orders.procedures import PlannedProcedure
from fhir_mappings.patient.patient_record import PatientRecord
from fhir_mappings.results.feature import Features
from fhir_mappings.terminology.code_systems import SNOMED_CT
from models_onnx import registry
from models_onnx.registry import Registry
from tests import builders

ASA = {1: "413495001", 2: "413496000", 3: "413497009", 4: "413498004"}
CODES = order_codes.load([order_codes.DEMONSTRATION])
ASSESSMENT_ID = "5f0b6b3c-0a55-4c1b-9c0e-0a6f5d1c2b3a"
SESSION = Session(patient_id=builders.PATIENT_ID, user_id="Practitioner/surgeon", order="ServiceRequest/order-1")


@lru_cache(maxsize=1)
def models() -> Registry:
    return registry.load()


def asa(grade: int) -> builders.Resource:
    return builders.an_answer("97816-3", (SNOMED_CT, ASA[grade]))


def smoker() -> builders.Resource:
    return builders.an_answer("72166-2", (SNOMED_CT, "449868002"))


def function(level: str) -> builders.Resource:
    """A functional status in the demonstration tenant's own codes: INDEPENDENT, PARTIAL or TOTAL."""
    return builders.an_answer("functional-status", (builders.DEMO_CODES, f"FUNC-{level}")) | {
        "code": builders.coded((builders.DEMO_CODES, "FUNC"))
    }


def result(code: str, value: float, unit: str, *, days: float = 10) -> builders.Resource:
    return builders.an_observation(code, value, unit, effectiveDateTime=builders.days_ago(days))


def done(code: str, *, days: float = 10) -> builders.Resource:
    """A test of which only the day matters."""
    return builders.an_observation(code, 1.0, "1", effectiveDateTime=builders.days_ago(days))


def assessed(
    record: PatientRecord, *, order: dict[str, Any] | None = None, codes: tuple[tuple[str, str], ...] = ()
) -> Assessment:
    found = builders.procedures.planned(
        builders.as_json([builders.an_order(*codes, **(order or {}))]),
        patient_id=builders.PATIENT_ID,
        maps=builders.DEMO_MAPS,
    )
    assert isinstance(found, tuple)
    return assess_features(features.derive(record, found[0]), found[0], record)


def assess_features(known: Features, procedure: PlannedProcedure, record: PatientRecord) -> Assessment:
    unknowns = model_inputs.unknowns(record, known)
    scores = models().score(model_inputs.values(known), model_inputs.limits(known), unknowns.opened)
    return assess(
        known,
        scores,
        procedure=procedure,
        models=models(),
        limits=BandLimits(),
        occasion=Occasion(ASSESSMENT_ID, builders.AS_OF, builders.ZONE),
        unknowns=unknowns,
    )


def an_assessment(
    *resources: builders.Resource, order: dict[str, Any] | None = None, codes: tuple[tuple[str, str], ...] = ()
) -> Assessment:
    """Of a man of 71 before lumbar fusion, unless the resources or the order say otherwise."""
    return assessed(builders.a_record(*resources), order=order, codes=codes)


def facts(
    *resources: builders.Resource,
    order: dict[str, Any] | None = None,
    codes: tuple[tuple[str, str], ...] = (),
    drafts: tuple[tuple[str, str], ...] = (),
    **searches: SearchResult,
) -> Facts:
    """What the catalogue is asked about this person; `drafts`: codes ordered in the same session."""
    record = builders.a_record(*resources, **searches)
    session = builders.as_json([builders.an_order(draft) for draft in drafts])
    assessment = assessed(record, order=order, codes=codes)
    return gather(
        assessment,
        existing_tests.read_existing_tests(record),
        pending_orders.pending_in_drafts(session),
        pending_orders.open_orders(record),
    )


def options(*resources: builders.Resource, policy: Policy | None = None, **arguments: Any) -> tuple[Option, ...]:
    """The options of this person's card."""
    record = builders.a_record(*resources)
    drafts: list[msgspec.Raw] = []
    advising = Advising(policy=policy or Policy(), codes=CODES)
    return choice.for_patient(assessed(record, **arguments), record, drafts, advising=advising).options


def a_card(*resources: builders.Resource, place: Place | None = None, **arguments: Any) -> Card:
    """The card of this person."""
    record = builders.a_record(*resources)
    assessment = assessed(record, **arguments)
    place = place or Place(public_url="https://risk.example.org", codes=CODES)
    chosen = choice.for_patient(assessment, record, [], advising=Advising(codes=CODES))
    return cards.write(assessment, place, session=SESSION, chosen=chosen)


def without_uuids(card: Card) -> dict[str, Any]:
    """The card as JSON, without what is new in every card and without the discrete result."""
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(card))
    del told["uuid"]
    told.pop("extension", None)
    for suggestion in told.get("suggestions", ()):
        del suggestion["uuid"]
    return told
