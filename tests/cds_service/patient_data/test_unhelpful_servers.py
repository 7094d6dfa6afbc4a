"""Terminology servers and servers of an export that drip, hang, break off or never end: every use ends in its time.

FHIR, keys and sign-in are beside them in tests/end_to_end/test_bad_neighbours.py, where other hospitals wait.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from cds_service.patient_data import bulk_export, terminology_server
from cds_service.patient_data.fhir_client import Access
from cds_service.patient_data.site_export import ExportError
from cds_service.patient_data.terminology_server import TerminologyError
from cds_service.trust import egress
from fhir_mappings.terminology import value_sets
from tests.cds_service.patient_data.test_terminology_server import a_tenant
from tests.cds_service.trust import unhelpful
from tests.patience import tried_again

DEADLINE_S = 1.0
LATE_S = 1.5  # what a busy machine adds
BEHAVIOURS = pytest.mark.parametrize("behaviour", unhelpful.EVERY, ids=lambda one: one.__name__)


@BEHAVIOURS
@tried_again
def test_a_start_waits_for_a_terminology_server_no_longer_than_its_deadline(behaviour: unhelpful.Behaviour) -> None:
    with unhelpful.serving(behaviour) as base:
        tenant = a_tenant(base, deadline_s=DEADLINE_S)
        began = time.monotonic()
        with pytest.raises(TerminologyError):
            terminology_server.in_force(tenant, value_sets.STANDARD)
        assert time.monotonic() - began < DEADLINE_S + LATE_S


@BEHAVIOURS
@tried_again
def test_an_export_waits_for_each_answer_no_longer_than_a_call_may_take(
    behaviour: unhelpful.Behaviour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_export, "CALL_S", DEADLINE_S)
    with unhelpful.serving(behaviour) as base:
        access = Access(base, None, egress.export_door(base, connections=2))
        began = time.monotonic()
        with pytest.raises(ExportError):
            bulk_export.download(access, tmp_path)
        assert not bulk_export.is_offered(access)
        assert time.monotonic() - began < 2 * DEADLINE_S + LATE_S
        assert list(tmp_path.iterdir()) == []
