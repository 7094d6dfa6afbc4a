"""A hospital's own findings: attributes 27 and 29 of its model pages, behind an opaque link (DEC-26, H-11)."""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.pages.attributes import NOT_AVAILABLE
from cds_service.tenants.tenant import LocalValidation, Tenant
from models_onnx.documents.source_attributes import NOT_AT_THIS_SITE
from models_onnx.recalibration import Recalibration

VALIDITY, FAIRNESS = "maintenance.local_validity", "maintenance.local_fairness"


def by_word(tenants: Iterable[Tenant]) -> dict[str, Tenant]:
    """The tenants that have pages of their own, by the word in their address."""
    return {tenant.local_pages: tenant for tenant in tenants if tenant.local_pages}


def overlay(tenant: Tenant) -> dict[str, str]:
    """The two attributes as this hospital's approved report tells them, or that it has none; never blank."""
    found = tenant.local_validation
    if found is None:
        return dict.fromkeys((VALIDITY, FAIRNESS), NOT_AT_THIS_SITE)
    return {VALIDITY: _told(found, found.validity), FAIRNESS: _told(found, found.fairness)}


def of_model(tenant: Tenant, by: Recalibration | None) -> dict[str, str]:
    """The same for one model: where this hospital recalibrated it, attribute 27 says from what and how (R-F11)."""
    told = overlay(tenant)
    if by is None:
        return told
    words = (
        f"Recalibrated for this hospital (number {by.number}): logit = {by.intercept:+.3f} + {by.slope:.3f} x logit,"
        f" fitted on {by.n:,} operations with {by.events:,} events of {by.first.isoformat()} to {by.last.isoformat()}"
        + (f", approved {by.approved_on.isoformat()}" if by.approved_on else "")
        + ". Cards tell the recalibrated figure; the evaluation on this page is of the model before it."
    )
    before = "" if told[VALIDITY].startswith(NOT_AVAILABLE) else f" {told[VALIDITY]}"
    return {**told, VALIDITY: f"{words}{before}"}


def _told(found: LocalValidation, text: str) -> str:
    by = f"Report {found.report} of {found.date.isoformat()}, approved by {found.approved_by}."
    return f"{text.rstrip('.')}. {by}" if text.strip() else f"{NOT_AVAILABLE} here; it stands in the report. {by}"
