"""Whether an operation of a patient runs now: then a call about this patient is silence, with the reason `case-open`.

Nothing is asked where a tenant's `during.mode` is off, so that an answer before an operation costs nothing more there.
"""

from __future__ import annotations

from datetime import datetime

from cds_service.answer import Answer
from cds_service.records.database import DatabaseError
from cds_service.records.recent_cases import recent_cases
from cds_service.records.records import Records
from cds_service.tenant_runtime import TenantRuntime
from cds_service.tenants import during_rules
from cds_service.trust.errors import NotReady
from fhir_mappings.during.under_way import MOST, is_under_way

SILENT = Answer(silence="case-open")


def is_open(site: TenantRuntime, records: Records, patient_id: str, at: datetime) -> bool:
    """Whether a case of this patient runs, as fhir_mappings/during/under_way.py has it. NotReady where nobody can tell.

    Of somebody with more cases than can be looked at one may be open, and counts as that.
    """
    if not during_rules.reads(site.tenant.during, site.tenant.environment):
        return False
    try:
        cases = recent_cases(records.quick, site.tenant.id, patient_id, since=at - MOST)
    except DatabaseError as error:
        raise NotReady("The service cannot answer now.", retry_after_s=5) from error
    has_values = any(case.values for case in cases)
    return any(
        not one.whole or is_under_way(one.times, site.zone, at, one.first_at, has_values=has_values) for one in cases
    )
