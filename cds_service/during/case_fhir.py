"""The summary of a case that has ended as FHIR: a Bundle of Observations, each with its Provenance, to be kept or not.

No RiskAssessment: what was recorded is no prediction, and the published rates of the score are of other people.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from flask import Response

from cds_service.during.case_view import CaseView
from cds_service.records.during_cases import KeptCase
from fhir_mappings.writing.case_resources import CaseTold, case_observations


def response(seen: CaseView, case: KeptCase, at: datetime, *, missing: tuple[str, ...] = ()) -> Response:
    """The Bundle as it is sent; nobody keeps it on the way."""
    sent = Response(msgspec.json.encode(summary_bundle(seen, case, at, missing)), mimetype="application/fhir+json")
    sent.headers["Cache-Control"] = "no-store"
    return sent


def summary_bundle(seen: CaseView, case: KeptCase, at: datetime, missing: tuple[str, ...] = ()) -> dict[str, Any]:
    """A collection of what could be told; what could not is not in it. `missing`: what may be missing, in words."""
    score = seen.apgar
    told = CaseTold(
        patient_id=case.key.patient_id,
        case=seen.course.case,
        recorded=at,
        exposures=seen.summary.exposures,
        points=None if score is None or score.points is None else int(score.points),
        components=seen.summary.apgar,
        version=f"{score.model} {score.version}" if score is not None else "",
        encounter_id=case.key.encounter_id or None,
        missing=missing,
    )
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": at.isoformat(),
        "entry": [{"resource": one} for one in case_observations(told)],
    }
