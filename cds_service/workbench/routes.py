"""The workbench's URLs: `/` for the order and its answer, `/workbench/feedback` for what the clinician did with it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from cds_service.answering import gate
from cds_service.demo import patients
from cds_service.ehr import caller
from cds_service.hooks.services import INTENDED_USE
from cds_service.pages import layout
from cds_service.tenant_runtime import TenantRuntime
from cds_service.trust.errors import Forbidden
from cds_service.workbench import exchange, views
from fhir_mappings.orders.procedures import PlannedProcedure, planned


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """What was chosen; `launches`: an EHR stands behind the store that can open the risk profile (the demo's own).

    `encounter`: the visit in which is ordered; a page opened anew is a new one, so its card is shown although it was
    dismissed before.
    """

    fhir: str
    patient: str
    code: str
    encounter: str
    hook: str = "order-select"
    prefetch: bool = True
    client_jwt: str = ""
    launches: bool = False


def blueprint(sites: Sequence[TenantRuntime]) -> Blueprint:
    """The pages for these demo or dev tenants; the first is shown unless another is chosen."""
    bench = Blueprint("workbench", __name__)
    names = tuple(site.tenant.id for site in sites)

    def chosen() -> TenantRuntime:
        return next((site for site in sites if site.tenant.id == request.values.get("tenant")), sites[0])

    @bench.get("/")
    def start() -> Response:
        site = chosen()
        # Whose patients we do not know we do not ask for: the form waits to be filled in.
        return _page(site, names, _default(site), asked=bool(_people(site)))

    @bench.post("/")
    def send() -> Response:
        site = chosen()
        body = request.form.get("body", "") if "again" in request.form else ""
        return _page(site, names, _given(site, request.form), body=body)

    @bench.post("/workbench/feedback")
    def feedback() -> Response:
        told = _feedback(request.form)
        sent = exchange.post(
            exchange.FEEDBACK_PATH,
            exchange.feedback(request.form.get("card", ""), told),
            client_jwt=request.form.get("client_jwt", ""),
        )
        return layout.html("workbench/feedback.html", sent=sent, accepted=told["outcome"] == "accepted")

    return bench


def _page(site: TenantRuntime, names: Sequence[str], form: Form, *, body: str = "", asked: bool = True) -> Response:
    problem, answered = "", None
    try:
        gate.check_region(site.tenant)
        system, _, code = form.code.rpartition("|")
        if asked:
            body = body or exchange.order(
                site,
                form.fhir,
                form.patient,
                (system, code),
                hook=form.hook,
                prefetch=form.prefetch,
                encounter_id=form.encounter,
            )
            answered = views.shown(exchange.post(exchange.SERVICE_PATH, body, client_jwt=form.client_jwt), site.zone)
    except exchange.FetchError as error:
        problem = str(error)
    except Forbidden as error:
        problem = error.text
    return layout.html(
        "workbench/workbench.html",
        form=form,
        people=_people(site),
        operations=_operations(site),
        hooks=[hook for hook in caller.HOOKS if hook in site.tenant.hooks],
        body=body,
        shown=answered,
        patient=_named(site, answered.exchange.patient_id) if answered else "",
        problem=problem,
        tenant=site.tenant,
        tenants=names,
        intended_use=INTENDED_USE,
    )


def _named(site: TenantRuntime, patient_id: str) -> str:
    """The patient of a request by name, where we know it; else by id."""
    return next((person.name for person in _people(site) if person.id == patient_id), patient_id)


def _default(site: TenantRuntime) -> Form:
    first = patients.load(datetime.now(UTC))[0]
    store = _store(site)
    patient = first.id if _people(site) else ""
    return Form(
        fhir=store,
        patient=patient,
        code="|".join(first.order),
        encounter=f"visit-{uuid.uuid4()}",
        launches=_launches(site, store),
    )


def _given(site: TenantRuntime, form: Mapping[str, str]) -> Form:
    default = _default(site)
    return Form(
        fhir=form.get("fhir", "").strip() or default.fhir,
        patient=form.get("other_patient", "").strip() or form.get("patient", default.patient),
        code=_code(form) or default.code,
        encounter=form.get("encounter", "") or default.encounter,
        hook=_hook(form.get("hook"), default.hook),
        prefetch="prefetch" in form,
        client_jwt=form.get("client_jwt", "").strip(),
        launches=_launches(site, form.get("fhir", "").strip() or default.fhir),
    )


def _hook(asked: str | None, default: str) -> str:
    return asked if asked in caller.HOOKS else default


def _launches(site: TenantRuntime, fhir: str) -> bool:
    return site.tenant.environment == "demo" and fhir == _store(site)


def _code(form: Mapping[str, str]) -> str:
    """`system|code`; the operation that suits the patient's story where none was chosen."""
    if chosen := form.get("code", ""):
        return chosen
    person = next((p for p in patients.load(datetime.now(UTC)) if p.id == form.get("patient")), None)
    return "|".join(person.order) if person else ""


def _store(site: TenantRuntime) -> str:
    """Where the patients are: the demo store, or the first FHIR server that a dev tenant lists."""
    if site.tenant.environment == "demo" or not site.tenant.fhir_base_urls:
        return f"{site.tenant.public_url.rstrip('/')}/demo/fhir"
    return site.tenant.fhir_base_urls[0]


def _people(site: TenantRuntime) -> tuple[patients.DemoPatient, ...]:
    return patients.load(datetime.now(UTC)) if site.tenant.environment == "demo" else ()


def _operations(site: TenantRuntime) -> dict[str, str]:
    """The operations that the demo patients have, each by its code and its procedure group; no descriptor (DEC-31)."""
    found: dict[str, str] = {}
    for person in patients.load(datetime.now(UTC)):
        system, code = person.order
        order = {
            "resourceType": "ServiceRequest",
            "id": "example",
            "status": "draft",
            "intent": "order",
            "subject": {"reference": f"Patient/{person.id}"},
            "code": {"coding": [{"system": system, "code": code}]},
        }
        group = planned([msgspec.Raw(msgspec.json.encode(order))], patient_id=person.id, maps=site.maps)
        label = group[0].label if isinstance(group, tuple) and isinstance(group[0], PlannedProcedure) else "not mapped"
        found[f"{system}|{code}"] = f"{code} · {label}"
    return found


def _feedback(form: Mapping[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "outcome": form.get("outcome", "overridden"),
        "outcomeTimestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if told["outcome"] == "accepted":
        return told | {"acceptedSuggestions": [{"id": form.get("suggestion", "")}]}
    code, _, rest = form.get("reason", "").partition("|")
    system, _, display = rest.partition("|")
    why = {"reason": {"code": code, "system": system, "display": display}} if code else {}
    comment = {"userComment": form["comment"]} if form.get("comment") else {}
    return told | ({"overrideReason": why | comment} if why or comment else {})
