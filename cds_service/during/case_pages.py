"""The pages of cases: those that may be looked at, and one of them as it may be shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import msgspec
from flask import Blueprint, Response, abort, request

from cds_service.answering import gate
from cds_service.answering.models_in_force import ModelsInForce
from cds_service.during import case_access, case_fhir, case_view, case_words, missed, mode_gate
from cds_service.during.case_access import CaseReader
from cds_service.during.case_memory import OLDEST_S, CaseMemory, CasesBusyError, HeldCase, Values
from cds_service.during.case_view import CaseView
from cds_service.during.earlier_estimate import WHY, EarlierEstimate, earlier_estimate
from cds_service.pages import layout
from cds_service.pages.models import REGULATORY
from cds_service.pages.risk_assessments import Doors
from cds_service.records.database import DatabaseError
from cds_service.records.during_cases import KeptCase
from cds_service.records.records import Records
from cds_service.tenant_runtime import TenantRuntime
from cds_service.tenants.during_rules import CASE_OPEN, NOT_CLEARED
from cds_service.trust.errors import Forbidden, NotReady
from fhir_mappings.during.case_times import TWO
from fhir_mappings.during.course import CaseTimes
from fhir_mappings.during.limits import EVIDENCE

_LATE = "Other pages are being made: this one is as it was {age} ago."
_BEFORE_END = (CASE_OPEN, NOT_CLEARED)


class CaseDesk(msgspec.Struct, frozen=True):
    """What the pages need: who may look, the record, and the models in force."""

    doors: Doors
    records: Records
    in_force: ModelsInForce
    clock: Callable[[], datetime]
    memory: CaseMemory


class CaseLine(msgspec.Struct, frozen=True):
    """One case in the list: nothing of its patient but when it was."""

    id: str
    when: str
    state: str


def blueprint(desk: CaseDesk) -> Blueprint:
    """Both pages; where the mode shows nothing they are not there."""
    pages = Blueprint("during", __name__, url_prefix="/during")

    @pages.get("/<tenant_id>")
    def cases(tenant_id: str) -> Response:
        at = desk.clock()
        site = _open_site(tenant_id, desk, at)
        by = case_access.reader_of(site.tenant, desk.doors)
        if by.tenant_id != site.tenant.id:
            abort(404)
        kept = [one for one in _kept(by, desk) if not gate.is_held_out(site.tenant, one.key.patient_id)]
        placed = {one.key.patient_id for one in kept if one.key.encounter_id}
        lines = [_line(one, site) for one in kept if one.key.encounter_id or one.key.patient_id not in placed]
        response = layout.html("during/cases.html", cases=lines, base=case_access.address(site.tenant), **_frame(site))
        return _renewed(response, site, by, desk)

    @pages.get("/<tenant_id>/<uuid:case_id>")
    def one_case(tenant_id: str, case_id: object) -> Response:
        at = desk.clock()
        site = _open_site(tenant_id, desk, at)
        by = case_access.reader_of(site.tenant, desk.doors)
        case = _visible(site, str(case_id), by, desk)
        return _renewed(_shown(case, site, by, desk, at), site, by, desk)

    @pages.get("/<tenant_id>/<uuid:case_id>/summary")
    def summary(tenant_id: str, case_id: object) -> Response:
        at = desk.clock()
        site = _open_site(tenant_id, desk, at)
        by = case_access.reader_of(site.tenant, desk.doors)
        case = _visible(site, str(case_id), by, desk)
        return _renewed(_accounted(_written(case, site, desk, at), case, site, by, desk, at), site, by, desk)

    @pages.after_request
    def asked_again(response: Response) -> Response:
        """A page that renews itself stands where it could not be shown once: the browser asks again by itself."""
        if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            response.headers["Refresh"] = str(desk.memory.renew_s)
        return response

    return pages


def _open_site(tenant_id: str, desk: CaseDesk, at: datetime) -> TenantRuntime:
    site = desk.doors.sites.get(tenant_id)
    if site is None or mode_gate.is_off(site, at):
        abort(404)
    gate.check_region(site.tenant)
    gate.check_accountable(desk.records)
    if mode_gate.shown(site, desk.records, at, ended=True).what == "nothing":
        desk.memory.forget(site.tenant.id)
        abort(404)
    return site


def _kept(by: CaseReader, desk: CaseDesk) -> tuple[KeptCase, ...]:
    cases = desk.records.during_cases
    try:
        if by.patient_id is None:
            return cases.of_tenant(by.tenant_id)
        return cases.of_patient(by.tenant_id, by.patient_id)
    except DatabaseError as error:
        raise NotReady("The cases cannot be read now.", retry_after_s=5) from error


def _found(site: TenantRuntime, case_id: str, desk: CaseDesk) -> KeptCase | None:
    try:
        return desk.records.during_cases.find(site.tenant.id, case_id)
    except DatabaseError as error:
        raise NotReady("The case cannot be read now.", retry_after_s=5) from error


def _visible(site: TenantRuntime, case_id: str, by: CaseReader, desk: CaseDesk) -> KeptCase:
    case = _found(site, case_id, desk)
    if case is None:
        desk.memory.forget(site.tenant.id, case_id)
    if case is None or not by.may_see(case) or gate.is_held_out(site.tenant, case.key.patient_id):
        abort(404)
    return case


def _written(case: KeptCase, site: TenantRuntime, desk: CaseDesk, at: datetime) -> Response:
    """The summary as FHIR. Raises Forbidden before the recorded end."""
    try:
        with desk.memory.of(case) as held:
            times = case_view.times_of(held.content, site.zone, at)
            may = mode_gate.shown(site, desk.records, at, ended=times.ended)
            if may.what == "nothing" and may.reason not in _BEFORE_END:
                abort(404)
            if not times.ended:
                raise Forbidden("Of a case there is a summary from its recorded end on.")
            seen, words = _seen(held, case, times, site, desk, at)
    except DatabaseError as error:
        raise NotReady("The case cannot be read now.", retry_after_s=5) from error
    except CasesBusyError as busy:
        raise NotReady("The case cannot be read now.", retry_after_s=desk.memory.renew_s) from busy
    return case_fhir.response(seen, case, at, missing=words)


def _shown(case: KeptCase, site: TenantRuntime, by: CaseReader, desk: CaseDesk, at: datetime) -> Response:
    """The page of a case, or in words why nothing of it is shown yet; of what was not looked at nothing was read."""
    frame = {"back": case_access.address(site.tenant), **_frame(site)}
    try:
        with desk.memory.of(case) as held:
            times = case_view.times_of(held.content, site.zone, at)
            may = mode_gate.shown(site, desk.records, at, ended=times.ended)
            if may.what == "nothing":
                if may.reason not in _BEFORE_END:
                    abort(404)
                return layout.html("during/not_yet.html", status=HTTPStatus.FORBIDDEN, why=times.reason, **frame)
            told = held.told(at, lambda: _told(held, case, times, site, desk, at))
        if times.ended and times.start is not None:
            frame["before"] = earlier_estimate(case, times.start, site, desk.records)
    except DatabaseError as error:
        raise NotReady("The case cannot be read now.", retry_after_s=5) from error
    except CasesBusyError as busy:
        told, age = _told_before(busy, site, desk, at)
        frame["banners"] = (_LATE.format(age=age),)
        frame["before"] = EarlierEstimate(WHY["unknown"]) if told["ended"] else None
    return _accounted(page(told, renew_s=desk.memory.renew_s, **frame), case, site, by, desk, at)


def _accounted(
    response: Response, case: KeptCase, site: TenantRuntime, by: CaseReader, desk: CaseDesk, at: datetime
) -> Response:
    """The first look of a reader is a row of the record."""
    if case_access.is_first_look(case, by, desk.doors.seal):
        desk.records.write_evaluation(case_access.look_row(case, by, at))
        case_access.looked(response, site.tenant, case, by, desk.doors.seal)
    return response


def _told(
    held: HeldCase, case: KeptCase, times: CaseTimes, site: TenantRuntime, desk: CaseDesk, at: datetime
) -> Values:
    seen, words = _seen(held, case, times, site, desk, at)
    clocks = tuple(case_words.clocks(seen, site.tenant.during.clock_offsets))
    return {**values(seen, refused=held.content.refused, missing=words), "clocks": clocks}


def _seen(
    held: HeldCase, case: KeptCase, times: CaseTimes, site: TenantRuntime, desk: CaseDesk, at: datetime
) -> tuple[CaseView, tuple[str, ...]]:
    """The case as of an instant, and in words what may be missing of it."""
    window = missed.window_of(case, times, at)
    words = missed.words(site.tenant, desk.records.during_positions, window, site.zone)
    content = msgspec.structs.replace(held.content, missed=bool(words))
    return case_view.view(held.entries(), content, site.zone, at, models=desk.in_force.knowledge.models), words


def _told_before(busy: CasesBusyError, site: TenantRuntime, desk: CaseDesk, at: datetime) -> tuple[Values, str]:
    """What the last page told and its age in words, where it may be shown whatever has come since. Raises NotReady."""
    last = busy.last
    age = (at - last.at).total_seconds() if last is not None else OLDEST_S
    ended = last is not None and bool(last.values["ended"])
    may = mode_gate.shown(site, desk.records, at, ended=ended)
    if last is None or not 0 <= age < OLDEST_S or may.what == "nothing":
        raise NotReady("The case cannot be shown now.", retry_after_s=desk.memory.renew_s) from busy
    return last.values, case_words.lasting(age)


def rendered(seen: CaseView, *, refused: int = 0, back: str = "", **told: Any) -> Response:
    """The page of one case. It refreshes itself while the case runs, unless the reader holds it still."""
    return page(values(seen, refused=refused), back=back, **told)


def page(told: Values, *, renew_s: int = 1, **frame: Any) -> Response:
    """The page of what `values` told, for this reader; a running case renews itself after so many seconds."""
    return layout.html(
        "during/case.html",
        refresh=renew_s if told["runs"] and "hold" not in request.args else 0,
        hold=f"?{urlencode(_others() | {'hold': '1'})}",
        renew=f"?{urlencode(_others())}",
        **told,
        **frame,
    )


def values(seen: CaseView, *, refused: int = 0, missing: tuple[str, ...] = ()) -> Values:
    """All that the page tells of a case, in words and pictures; the course itself is no part of it."""
    case = seen.course.case
    return {
        "runs": not seen.ended and case.start is not None and case.reason != TWO,
        "as_of": case_words.clock(seen.course.as_of, seen),
        "begun": _instant(case.start, seen),
        "ended": _instant(case.end, seen) if seen.ended else "",
        "why": case.reason,
        "duration": seen.summary.duration,
        "stops": tuple(case_words.stops(seen)),
        "signals": tuple(case_words.signals(seen)),
        "deviations": tuple(case_words.deviations(seen)),
        "unseen": case_words.unseen(seen),
        "exposures": tuple(case_words.exposures(seen)) if seen.ended else (),
        "amounts": tuple(case_words.amounts(seen)) if seen.ended else (),
        "events": tuple(case_words.events(seen)),
        "apgar": seen.apgar,
        "rates": tuple(case_words.rates(seen)),
        "rates_of": case_words.RATES_OF,
        "age": seen.age,
        "components": seen.summary.apgar if seen.ended else (),
        "counted": tuple(case_words.counted(seen)),
        "refused": refused,
        "missing": missing,
        "evidence": EVIDENCE,
    }


def _others() -> dict[str, str]:
    return {name: value for name, value in request.args.items() if name != "hold"}


def _instant(at: float | None, seen: CaseView) -> str:
    return f"{datetime.fromtimestamp(at, seen.zone):%d %b %Y, %H:%M}" if at is not None else ""


def _line(case: KeptCase, site: TenantRuntime) -> CaseLine:
    when = f"{case.first_at.astimezone(site.zone):%d %b %Y, %H:%M}"
    return CaseLine(case.id, when, f"last value came {case.last_at.astimezone(site.zone):%d %b, %H:%M}")


def _frame(site: TenantRuntime) -> dict[str, Any]:
    return {"ancestors": " ".join(site.tenant.smart.frame_ancestors) or "'none'", "regulatory": REGULATORY}


def _renewed(response: Response, site: TenantRuntime, by: CaseReader, desk: CaseDesk) -> Response:
    if by.patient_id is not None:
        case_access.remember(response, site.tenant, by, desk.doors.seal)
    return response
