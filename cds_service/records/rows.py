"""What the record is given and gives back: plain frozen data that knows neither hooks nor cards."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

import msgspec

Decision = Literal["card", "again", "silence", "profile", "error"]
Pair = tuple[str, str]  # a code system and a code


class SuggestionRow(msgspec.Struct, frozen=True):
    """One suggestion of a card; `rule` names its catalogue row."""

    uuid: str
    rule: str


class CardRow(msgspec.Struct, frozen=True, kw_only=True):
    """One card; not `shown` where a mode or a silence rule withheld it."""

    uuid: str
    indicator: str
    topic: str | None = None
    shown: bool = True
    suggestions: tuple[SuggestionRow, ...] = ()


class EvaluationRow(msgspec.Struct, frozen=True, kw_only=True):
    """One call of the service and what became of it (R-C09). Times in milliseconds, probability 0 to 1.

    May hold what identifies a patient: patient_id, encounter_id, order_reference, user_reference,
    hook_instance, inputs and result (whatever JSON can hold). `reason` is a word of ours, `dedupe_key` a digest.
    `unmapped`: the codes of orders in no procedure group, as fhir_mappings/orders/unmapped_orders.py lets them be told.
    """

    id: str
    tenant_id: str
    received_at: datetime
    hook: str
    hook_instance: str
    status: int
    decision: Decision
    issuer: str | None = None
    user_reference: str | None = None
    patient_id: str | None = None
    encounter_id: str | None = None
    order_reference: str | None = None
    reason: str | None = None
    mode: str | None = None
    procedure_group: str | None = None
    outcome: str | None = None
    probability: float | None = None
    band: str | None = None
    dedupe_key: str | None = None
    models: tuple[dict[str, Any], ...] = ()
    inputs: tuple[dict[str, Any], ...] = ()
    result: Any = None
    milliseconds: dict[str, float] = {}
    total_ms: float = 0.0
    unmapped: tuple[Pair, ...] = ()
    cards: tuple[CardRow, ...] = ()


class FeedbackItem(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one card; `comment` is a clinician's free text, redacted after the tenant's days."""

    card: str
    outcome: Literal["accepted", "overridden"]
    outcome_at: datetime
    accepted_suggestions: tuple[str, ...] = ()
    reason_code: str | None = None
    reason_system: str | None = None
    reason_display: str | None = None
    comment: str | None = None


class OutcomeRow(msgspec.Struct, frozen=True, kw_only=True):
    """Whether what was predicted happened, as found later by `source`; without days it is undated.

    `occurred_on`: the day of the outcome; `observed_through`: the last day through which the patient was followed;
    `operated_on`: the day of the operation. All in the hospital's own zone.
    """

    tenant_id: str
    evaluation_id: str
    outcome: str
    occurred: bool
    source: str
    occurred_on: date | None = None
    observed_through: date | None = None
    operated_on: date | None = None


class AdministrationEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Who switched what, when and why, and who approved it (R-E06). An empty tenant means all of them."""

    happened_at: datetime
    action: str
    tenant_id: str
    scope: str
    value: str
    done_by: str
    reason: str
    approved_by: str | None = None


class Shown(msgspec.Struct, frozen=True):
    """A card shown before, and whether anybody accepted it or turned it down (DEC-42)."""

    card: str
    answered: bool
