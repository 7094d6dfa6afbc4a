"""Who may look at a case: a client of its tenant, or the browser that signed in for its patient."""

from __future__ import annotations

import time
import uuid
from datetime import datetime

import msgspec
from flask import Response, request

from cds_service.during import mode_gate
from cds_service.pages.prefix import prefix_of
from cds_service.pages.risk_assessments import Doors
from cds_service.records.database import DatabaseError
from cds_service.records.during_cases import KeptCase
from cds_service.records.records import Records
from cds_service.records.rows import EvaluationRow
from cds_service.tenant_runtime import TenantRuntime
from cds_service.tenants.tenant import Tenant
from cds_service.trust import time_ordered_id
from cds_service.trust.seal import Seal

# In the record, beside the hooks: a page that a person looks at.
HOOK = "during-page"
# As for a result (pages/open_pages.py), from the last page that was looked at on; and from the sign-in on at most.
SECONDS = 900
AT_MOST_S = 12 * 3600
_PURPOSE, _SEEN = "during-patient", "during-seen"
_COOKIE, _SEEN_COOKIE = "open-patient", "seen-case"


class CaseReader(msgspec.Struct, frozen=True):
    """Whose cases may be looked at: those of one patient, or, without one, all of the tenant.

    `until`: when the sign-in ends however often a page is renewed, seconds since 1970; None of one that begins.
    """

    tenant_id: str
    patient_id: str | None = None
    user: str | None = None
    until: float | None = None

    def may_see(self, case: KeptCase) -> bool:
        """Whether a case is one of them."""
        return self.tenant_id == case.key.tenant_id and self.patient_id in (None, case.key.patient_id)


class SeenCase(msgspec.Struct, frozen=True):
    """Which case was looked at by whom, and in which sign-in."""

    case_id: str
    user: str | None
    until: float | None


def address(tenant: Tenant) -> str:
    """Where the cases of a tenant stand, as a browser names it."""
    return f"{prefix_of(tenant.public_url)}/during/{tenant.id}"


def has_cases(by: CaseReader, site: TenantRuntime, records: Records, at: datetime) -> bool:
    """Whether there is anything of this patient that may ever be shown; where nobody can tell, there is no link."""
    if by.patient_id is None or mode_gate.is_off(site, at):
        return False
    if mode_gate.shown(site, records, at, ended=True).what == "nothing":
        return False
    try:
        return bool(records.during_cases.of_patient(by.tenant_id, by.patient_id, most=1))
    except DatabaseError:
        return False


def remember(response: Response, tenant: Tenant, by: CaseReader, seal: Seal) -> None:
    """Let this browser look at the cases of this patient for a while, and no longer than its sign-in lasts.

    No script reads the cookie.
    """
    until = time.time() + AT_MOST_S if by.until is None else by.until
    _set(response, tenant, _COOKIE, seal.close(_PURPOSE, msgspec.structs.replace(by, until=until)))


def reader_of(tenant: Tenant, doors: Doors) -> CaseReader:
    """Whoever sends a header is judged by it, a browser by the sign-in it has. Raises Unauthorized."""
    if "Authorization" not in request.headers:
        known = doors.seal.open(_PURPOSE, request.cookies.get(_COOKIE, ""), CaseReader, seconds=SECONDS)
        if known is not None and known.tenant_id == tenant.id and (known.until or 0.0) > time.time():
            return known
    return CaseReader(doors.proven(request.headers.get("Authorization")).id)


def is_first_look(case: KeptCase, by: CaseReader, seal: Seal) -> bool:
    """Whether this reader has not looked at this case within the last minutes: then the record says so.

    Another user of the same browser has not.
    """
    return seal.open(_SEEN, request.cookies.get(_SEEN_COOKIE, ""), SeenCase, seconds=SECONDS) != _seen(case, by)


def looked(response: Response, tenant: Tenant, case: KeptCase, by: CaseReader, seal: Seal) -> None:
    """The look is in the record; the page may refresh itself without another row."""
    _set(response, tenant, _SEEN_COOKIE, seal.close(_SEEN, _seen(case, by)))


def _seen(case: KeptCase, by: CaseReader) -> SeenCase:
    return SeenCase(case.id, by.user, by.until)


def _set(response: Response, tenant: Tenant, name: str, sealed: str) -> None:
    secure = tenant.public_url.startswith("https://")
    framed = secure and bool(tenant.smart.frame_ancestors)
    response.set_cookie(
        name,
        sealed,
        max_age=SECONDS,
        path=address(tenant),
        httponly=True,
        secure=secure,
        samesite="None" if framed else "Strict",
    )


def look_row(case: KeptCase, by: CaseReader, at: datetime) -> EvaluationRow:
    """That somebody looked: a page, and no card."""
    return EvaluationRow(
        id=time_ordered_id.draw(at),
        tenant_id=case.key.tenant_id,
        received_at=at,
        hook=HOOK,
        hook_instance=str(uuid.uuid4()),
        status=200,
        decision="profile",
        user_reference=by.user,
        patient_id=case.key.patient_id,
        encounter_id=case.key.encounter_id or None,
    )
