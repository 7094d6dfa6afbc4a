"""Invented operations played again, as fast as they were or sixty times as fast: `/demo/during` (`make run`)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from flask import Blueprint, Response, abort, redirect, request

from cds_service.answering.models_in_force import ModelsInForce
from cds_service.demo import invented_cases
from cds_service.demo.invented_cases import CASES, InventedCase
from cds_service.during import case_pages, case_view
from cds_service.pages import layout
from cds_service.pages.models import REGULATORY
from fhir_mappings.during.case_content import CaseContent
from fhir_mappings.during.case_summary import Plan
from fhir_mappings.during.course import CourseEntry
from fhir_mappings.during.entries import read_entry, reader

SPEEDS = (1, 60)
_EVERY_S = 5
_PATIENT, _ZONE = "invented", ZoneInfo("UTC")
_BORN = '{"resourceType":"Patient","id":"invented","birthDate":"1957-03-02"}'
# How long ago a replay may have begun: a link that somebody kept shows the end of its case.
_LONGEST_S = 86_400
_Entries = tuple[tuple[int, CourseEntry], ...]


def blueprint(in_force: ModelsInForce) -> Blueprint:
    """The list of the cases, and each as it is at this instant of its replay; nothing of it is kept."""
    pages = Blueprint("replayed-cases", __name__, url_prefix="/demo/during")

    @pages.get("/")
    def cases() -> Response:
        return layout.html("demo/replays.html", cases=CASES, speeds=SPEEDS, regulatory=REGULATORY)

    @pages.get("/<case_id>")
    def one(case_id: str) -> Response:
        case = next((one for one in CASES if one.id == case_id), None)
        speed, since = request.args.get("speed", "60"), request.args.get("since", "")
        if case is None or speed not in map(str, SPEEDS):
            abort(404)
        begun = int(since) if since.isascii() and since.isdigit() and len(since) <= 10 else None
        now = time.time()
        if begun is None or not now - _LONGEST_S <= begun <= now + 1:
            asked = urlencode({"speed": speed, "since": int(now)})
            return redirect(f"?{asked}")  # type: ignore[return-value]
        return _page(case, begun, min((now - begun) * int(speed), case.minutes * 60.0 + 60), int(speed), in_force)

    return pages


def _page(case: InventedCase, begun: int, second: float, speed: int, in_force: ModelsInForce) -> Response:
    start = datetime.fromtimestamp(begun, UTC)
    entries = [entry for at, entry in _entries(case.id, begun) if at <= second]
    procedure = invented_cases.procedure(case, start, _PATIENT, ended=second >= case.minutes * 60)
    seen = case_view.view(
        entries,
        CaseContent((), (msgspec.json.encode(procedure).decode(),), (_BORN,)),
        _ZONE,
        start + timedelta(seconds=second),
        models=in_force.knowledge.models,
        plan=Plan(minutes=case.planned_minutes),
        recorded={"blood-loss": "totals"},
    )
    played = f"An invented operation, played {'as fast as it was' if speed == 1 else f'{speed} times as fast'}."
    return case_pages.rendered(seen, back="./", banners=(f"{played} {case.story}",), regulatory=REGULATORY)


@lru_cache(maxsize=8)
def _entries(case_id: str, begun: int) -> _Entries:
    """Everything that is recorded of one replay, read once, with the second at which it comes."""
    case = next(one for one in CASES if one.id == case_id)
    start, by = datetime.fromtimestamp(begun, UTC), reader(_PATIENT, _ZONE)
    sent = [(-1, one) for one in invented_cases.before(case, start, _PATIENT)]
    sent += invented_cases.observations(case, start, _PATIENT, every_s=_EVERY_S)
    read = ((second, read_entry(msgspec.json.encode(one), by)) for second, one in sent)
    return tuple((second, entry) for second, entry in read if entry is not None)
