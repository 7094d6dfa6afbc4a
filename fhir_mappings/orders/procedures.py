"""What is being ordered: the surgical orders among those given, and the procedure group of each, by code only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from msgspec import Raw, Struct
from msgspec.structs import replace

from fhir_mappings.fhir.decode_resources import UNREADABLE_JSON, WrongPatientError, names_another
from fhir_mappings.fhir.elements import CodeableConcept
from fhir_mappings.orders.open_orders import is_closed, is_withdrawn
from fhir_mappings.orders.order_resources import Order, people
from fhir_mappings.orders.orders import UnsupportedVersionError, read_order
from fhir_mappings.orders.unmapped_orders import UnmappedOrder, unmapped
from fhir_mappings.terminology.code_systems import CPT, HCPCS, ICD_10_PCS, LOINC
from fhir_mappings.terminology.concept_maps import EMPTY, ConceptMaps, Vocabulary, vocabulary
from fhir_mappings.terminology.procedure_groups import GROUPS, ProcedureGroup
from fhir_mappings.terminology.value_sets import STANDARD, ValueSets

Reason = Literal[
    "not-surgical", "unmapped-procedure", "procedure-ambiguous", "out-of-scope", "fhir-version-unsupported"
]

# Categories of orders that are not operations. Source: the SNOMED CT codes of the R4 ServiceRequest category value
# set and HL7 v2 table 0074; https://hl7.org/fhir/R4/valueset-servicerequest-category.html
_SURGICAL_CATEGORY = "387713003"
_OTHER_CATEGORIES = frozenset({"108252007", "363679005", "409063005", "409073007", "386053000"})
_OTHER_V2_CATEGORIES = frozenset({"LAB", "RAD", "laboratory", "imaging", "CH", "HM", "MB", "PAT", "SP"})
# Sections of CPT by first digit: 7 radiology, 8 laboratory, 9 medicine and evaluation. ICD-10-PCS section 0: surgery.
_CPT_NOT_SURGICAL = ("7", "8", "9")


class PlannedProcedure(Struct, frozen=True, kw_only=True, gc=False):
    """One surgical order: its group, the code that decided it, and the facts on which urgency rests.

    `unmapped`: on the gravest only, what was ordered with it and is in no group.
    """

    group: str
    label: str
    system: str
    code: str
    order: str
    gravity: int = 0
    priority: str = ""
    encounter: str = ""
    occurrence: str = ""
    duration_h: float | None = None
    acute_injury: bool = False
    unmapped: tuple[UnmappedOrder, ...] = ()


class NoProcedure(Struct, frozen=True, gc=False):
    """Why none of the orders is an operation that can be assessed; and by which codes that are in no group."""

    reason: Reason
    unmapped: tuple[UnmappedOrder, ...] = ()


def planned(
    orders: Sequence[Raw],
    *,
    patient_id: str,
    maps: ConceptMaps = EMPTY,
    value_sets: ValueSets = STANDARD,
    done_too: bool = False,
) -> tuple[PlannedProcedure, ...] | NoProcedure:
    """Every open surgical order among those given, gravest group first (DEC-19), or why there is none.

    `done_too`: those that were carried out as well, where the orders are counted and nobody is advised.

    Raises WrongPatientError for an order that names another patient (DEC-14); one that names nobody counts as the
    patient's. Text never decides (messy case 7).
    """
    refuse_other_people(orders, patient_id)
    words = vocabulary(value_sets, maps)
    found: list[PlannedProcedure] = []
    unknown: list[UnmappedOrder] = []
    reasons: set[Reason] = set()
    for raw in orders:
        outcome = _assess(raw, words, done_too=done_too)
        if isinstance(outcome, PlannedProcedure):
            found.append(outcome)
        elif isinstance(outcome, UnmappedOrder):
            unknown.append(outcome)
        elif outcome:
            reasons.add(outcome)
    return _by_gravity(found, tuple(unknown)) if found else _none(reasons, tuple(unknown))


def _by_gravity(found: list[PlannedProcedure], unknown: tuple[UnmappedOrder, ...]) -> tuple[PlannedProcedure, ...]:
    gravest, *others = sorted(found, key=lambda one: (-one.gravity, one.order))
    return (replace(gravest, unmapped=unknown) if unknown else gravest, *others)


def _none(reasons: set[Reason], unknown: tuple[UnmappedOrder, ...]) -> NoProcedure:
    if "procedure-ambiguous" in reasons:
        return NoProcedure("procedure-ambiguous", unknown)
    if unknown:
        return NoProcedure("unmapped-procedure", unknown)
    rest: tuple[Reason, ...] = ("fhir-version-unsupported", "out-of-scope")
    return NoProcedure(next((reason for reason in rest if reason in reasons), "not-surgical"))


def refuse_other_people(drafts: Iterable[Raw], patient_id: str) -> None:
    """Raise WrongPatientError where a draft of any type, an operation or not, names another patient (DEC-14)."""
    for raw in drafts:
        if any(names_another(person, patient_id) for person in people(raw)):
            raise WrongPatientError("orders", "prefetch")


def _assess(raw: Raw, words: Vocabulary, *, done_too: bool) -> PlannedProcedure | UnmappedOrder | Reason | None:
    try:
        order = read_order(raw)
    except UnsupportedVersionError:
        return "fhir-version-unsupported"
    except UNREADABLE_JSON:
        return UnmappedOrder(unread=True)  # a surgical order could hide in it: never "not surgical"
    if order is None:
        return "not-surgical"
    is_over = is_withdrawn if done_too else is_closed
    if is_over(order.status, intent=order.intent, forbidden=order.forbidden):
        return None
    return _classified(order, words)


def _classified(order: Order, words: Vocabulary) -> PlannedProcedure | UnmappedOrder | Reason:
    by_system = _groups_by_system(order.codes, words)
    if not by_system:
        return _of_no_group(order, words) if may_be_surgical(order, words) else "not-surgical"
    gravest = [max(choices, key=lambda choice: choice[0].gravity) for choices in by_system.values()]
    group, system, code = gravest[0]
    if any(other[0] is not group for other in gravest):
        return "procedure-ambiguous"
    return PlannedProcedure(
        group=group.name,
        label=group.label,
        system=system,
        code=code,
        order=order.reference,
        gravity=group.gravity,
        priority=order.priority,
        encounter=order.encounter,
        occurrence=order.occurrence,
        duration_h=order.duration_h,
        acute_injury=_names_any(order.reasons, "acute-injury", words),
    )


def _of_no_group(order: Order, words: Vocabulary) -> UnmappedOrder | Reason:
    """Which code has to be mapped; nothing has, where the site says that it is an operation of none of the groups."""
    codings = (coding for concept in order.codes for coding in concept.coding)
    if any(words.maps.rules_out(one.system, one.code) for one in codings):
        return "out-of-scope"
    return unmapped(order.codes)


Choice = tuple[ProcedureGroup, str, str]


def _groups_by_system(codes: Iterable[CodeableConcept], words: Vocabulary) -> dict[str, list[Choice]]:
    """The groups that the codings of each system name; systems that name none are left out."""
    found: dict[str, list[Choice]] = {}
    for concept in codes:
        for coding in concept.coding:
            system = words.maps.canonical(coding.system)
            for idea in words.ideas(coding.system, coding.code):
                if idea in GROUPS:
                    found.setdefault(system, []).append((GROUPS[idea], system, (coding.code or "").strip()))
        if not concept.coding and concept.text:
            for idea in words.ideas_of_text(concept.text):
                if idea in GROUPS:
                    found.setdefault("", []).append((GROUPS[idea], "", ""))
    return found


def _names_any(concepts: Iterable[CodeableConcept], idea: str, words: Vocabulary) -> bool:
    return any(idea in words.ideas(coding.system, coding.code) for one in concepts for coding in one.coding)


def may_be_surgical(order: Order, words: Vocabulary) -> bool:
    """Whether an order whose code is unknown could be an operation; in doubt it could."""
    categories = {coding.code for concept in order.categories for coding in concept.coding}
    if _SURGICAL_CATEGORY in categories:
        return True
    if categories & (_OTHER_CATEGORIES | _OTHER_V2_CATEGORIES):
        return False
    codings = [coding for concept in order.codes for coding in concept.coding]
    return not any(_is_not_surgical(words.maps.canonical(one.system), (one.code or "").strip()) for one in codings)


def _is_not_surgical(system: str, code: str) -> bool:
    if system in (LOINC, HCPCS):
        return True
    if system == CPT:
        return code.startswith(_CPT_NOT_SURGICAL)
    return system == ICD_10_PCS and not code.startswith("0")


def summary(procedure: PlannedProcedure) -> dict[str, Any]:
    """The group, system, code and order, as the discrete result tells them."""
    return {
        "group": procedure.group,
        "system": procedure.system,
        "code": procedure.code,
        "order": procedure.order,
    }
