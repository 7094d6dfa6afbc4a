"""What the triggers of the catalogue are asked: features, the operation, and what else the record knows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from cds_service.advice.assessment import Assessment
from cds_service.advice.operation_attributes import Attribute, attributes
from fhir_mappings.features.existing_tests import Workup
from fhir_mappings.fhir.dates import moment
from fhir_mappings.orders.pending_orders import NOTHING, Requested, together
from fhir_mappings.results.feature import Feature, Features

# Why a value is absent although somebody looked: it was never recorded, not done, or is too old (inputs 1.1).
# Not among them: a search that failed, and what the patient declined.
_NOT_DONE = frozenset({"never-recorded", "not-done", "no-site-map", "status-unknown", "unknown"})


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a suggestion may rest on, for one patient and one operation.

    `diagnoses` and `medicines`: value sets and drug classes that currently apply. `done`, `not_done`: results found
    inside their window, and those that were searched for and not found; one that was not searched for is in neither.
    `results`: numbers that no model reads. `performed`: when a procedure was done, of those inside their window.
    `band` is that of the headline; `warned`: the card is a warning. `days_to_surgery` is None where the order has no
    date. `requested`: by this session and by the chart's open orders;
    `orders_unchecked`: those of the chart could not be searched for.
    """

    features: Features
    as_of: datetime
    operation: frozenset[Attribute] = frozenset()
    diagnoses: frozenset[str] = frozenset()
    medicines: frozenset[str] = frozenset()
    done: frozenset[str] = frozenset()
    not_done: frozenset[str] = frozenset()
    results: Mapping[str, Feature] = {}
    performed: Mapping[str, datetime] = {}
    band: str | None = None
    warned: bool = False
    days_to_surgery: float | None = None
    requested: Requested = NOTHING
    orders_unchecked: bool = False


def is_not_done(feature: Feature) -> bool:
    """Whether the value was looked for and is not there, or is too old."""
    return feature.status == "stale" or (feature.status == "missing" and feature.reason in _NOT_DONE)


def gather(assessment: Assessment, workup: Workup, session: Requested, chart: Requested | None) -> Facts:
    """The facts about this patient and this operation.

    `session`: what its drafts ask for; `chart`: what open orders ask for, None where they could not be searched for.
    """
    return Facts(
        features=assessment.features,
        as_of=assessment.as_of,
        operation=attributes(assessment.procedure.group),
        diagnoses=workup.diagnoses,
        medicines=workup.medicines,
        done=workup.done,
        not_done=workup.not_done,
        results=workup.results,
        performed=workup.performed,
        band=assessment.headline.told_band if assessment.headline is not None else None,
        warned=assessment.indicator == "warning",
        days_to_surgery=_days_to_surgery(assessment),
        requested=session if chart is None else together(session, chart),
        orders_unchecked=chart is None,
    )


def _days_to_surgery(assessment: Assessment) -> int | None:
    """Whole days from the hook to the first day that the order's date allows; None without one, or where it is past."""
    when = moment(assessment.procedure.occurrence, assessment.zone)
    if when is None:
        return None
    days = (when.first - assessment.today.date()).days
    return days if days >= 0 else None
