"""`/risk-assessments/{id}`: one result from the record as a FHIR RiskAssessment, for the tenant whose it is (R-C05)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import msgspec
from flask import Blueprint, Response, abort, request

from cds_service.answering import gate
from cds_service.cards import chart
from cds_service.cards.chart import Owner
from cds_service.pages import open_pages
from cds_service.records.records import Records
from cds_service.records.rows import EvaluationRow
from cds_service.tenant_runtime import TenantRuntime
from cds_service.tenants.tenant import Tenant
from cds_service.trust.seal import Seal

# The tenant that this Authorization header proves; raises Unauthorized.
Proven = Callable[[str | None], Tenant]


class Doors(msgspec.Struct, frozen=True):
    """Who may read: a client by its JWT, or the browser in which the risk profile is open."""

    proven: Proven
    seal: Seal
    sites: Mapping[str, TenantRuntime]


def blueprint(records: Records, doors: Doors) -> Blueprint:
    """The one URL; it reads and keeps nothing. Another tenant's result, one that was withheld then or would be now, one
    that has no number and one that never was are all not found (R-G15).
    """
    pages = Blueprint("risk-assessments", __name__)

    @pages.get("/risk-assessments/<uuid:assessment_id>")
    def risk_assessment(assessment_id: object) -> Response:
        tenant = _reader(str(assessment_id), doors)
        gate.check_region(tenant)
        row = records.evaluation(str(assessment_id))
        if row is None or row.tenant_id != tenant.id or is_shut(row, doors.sites[tenant.id], records):
            abort(404)
        if row.result is None or row.patient_id is None:
            abort(404)
        owner = Owner(row.patient_id, row.encounter_id)
        resource = chart.resource(row.result, owner, public_url=tenant.public_url)
        response = Response(msgspec.json.encode(resource), mimetype="application/fhir+json")
        response.headers["Cache-Control"] = "no-store"
        return response

    return pages


def _reader(assessment_id: str, doors: Doors) -> Tenant:
    """Whoever sends a header is judged by it; a browser by what it has open. Raises Unauthorized."""
    if "Authorization" not in request.headers:
        opened = open_pages.tenant_of(assessment_id, doors.seal)
        if opened is not None and opened in doors.sites:
            return doors.sites[opened].tenant
    return doors.proven(request.headers.get("Authorization"))


def is_shut(row: EvaluationRow, site: TenantRuntime, records: Records) -> bool:
    """Whether it was withheld then, or the one who was told it then would not be told it now."""
    if row.reason in gate.SHUT:
        return True
    tenant, switches = site.tenant, gate.switches_now(records, site.tenant)
    hook = gate.hook_of(tenant, row.hook)
    if gate.before(tenant, site.zone, hook, datetime.now(UTC), switches).reason is not None:
        return True
    decided = gate.after(tenant, hook, row.procedure_group, row.user_reference or "", switches, patient=row.patient_id)
    return decided.reason is not None
