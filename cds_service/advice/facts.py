"""What the triggers of the catalogue are asked: features, the operation, and what else the record knows."""

from __future__ import annotations

from pathlib import Path

import msgspec

from cds_service.advice.assessment import Assessment
from cds_service.advice.catalogue import Attribute
from fhir_mappings.dates import moment
from fhir_mappings.feature import Feature, Features
from fhir_mappings.requested import NOTHING, Requested
from fhir_mappings.workup import Workup

# Why a value is absent although somebody looked: it was never recorded, not done, or is too old (inputs 1.1).
# Not among them: a search that failed, and what the patient declined.
_NOT_DONE = frozenset({"never-recorded", "not-done", "no-site-map", "status-unknown", "unknown"})


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a suggestion may rest on, for one patient and one operation.

    `diagnoses` and `medicines`: value sets and drug classes that currently apply. `not_done`: results that were
    searched for and not found inside their window; one that was not searched for is not among them.
    `days_to_surgery` is None where the order has no date.
    """

    features: Features
    operation: frozenset[Attribute] = frozenset()
    diagnoses: frozenset[str] = frozenset()
    medicines: frozenset[str] = frozenset()
    not_done: frozenset[str] = frozenset()
    band: str | None = None
    days_to_surgery: float | None = None
    requested: Requested = NOTHING


def is_not_done(feature: Feature) -> bool:
    """Whether the value was looked for and is not there, or is too old."""
    return feature.status == "stale" or (feature.status == "missing" and feature.reason in _NOT_DONE)


_OPERATIONS: dict[str, tuple[Attribute, ...]] = msgspec.yaml.decode(
    Path(__file__).with_name("operations.yaml").read_bytes(), type=dict[str, tuple[Attribute, ...]]
)


def attributes(procedure_group: str) -> frozenset[Attribute]:
    """What the catalogue knows of an operation; nothing of one that it does not list."""
    return frozenset(_OPERATIONS.get(procedure_group, ()))


def gather(assessment: Assessment, workup: Workup, requested: Requested) -> Facts:
    """The facts about this patient and this operation."""
    return Facts(
        features=assessment.features,
        operation=attributes(assessment.procedure.group),
        diagnoses=workup.diagnoses,
        medicines=workup.medicines,
        not_done=workup.not_done,
        band=assessment.headline.band if assessment.headline is not None else None,
        days_to_surgery=_days_to_surgery(assessment),
        requested=requested,
    )


def _days_to_surgery(assessment: Assessment) -> int | None:
    """Whole days from the hook to the first day that the order's date allows; None without one, or where it is past."""
    when = moment(assessment.procedure.occurrence, assessment.zone)
    if when is None:
        return None
    days = (when.first - assessment.today.date()).days
    return days if days >= 0 else None
