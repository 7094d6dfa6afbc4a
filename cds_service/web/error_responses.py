"""Whatever went wrong as HTTP: every failure is an OperationOutcome, and none is an empty list of cards."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from http import HTTPStatus

from flask import Flask, Response, g
from werkzeug.exceptions import HTTPException

from cds_service.pages import layout
from cds_service.trust.errors import ServiceError, Unauthorized
from cds_service.web import security_events
from fhir_mappings.writing import draft_resources

Report = Callable[[str, BaseException], None]
# Told of an error that a caller may expect, and that an operator has to look into: what is not there to answer.
Tell = Callable[[ServiceError], None]


def outcome_response(error: ServiceError) -> Response:
    """The OperationOutcome of `error`, with its status; a person who opened the address reads the same as a page."""
    if layout.is_for_a_browser():
        response = layout.html(
            "failed.html",
            status=error.status,
            heading=_HEADINGS.get(error.status, "This page cannot be shown"),
            words=_SENTENCES.get(error.text, error.text),
            incident=error.diagnostics,
        )
    else:
        outcome = draft_resources.operation_outcome(
            severity="error", code=error.code, text=error.text, diagnostics=error.diagnostics
        )
        response = Response(outcome, status=error.status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(error.retry_after_s)
    if error.status == Unauthorized.status:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


_HEADINGS = {404: "There is no such page", 503: "This page cannot be shown now"}
_SENTENCES = {
    "Not Found": "Nothing is shown at this address: it is not one of this service, or what it led to is closed."
}
_HTTP_CODES = {404: "not-found", 405: "not-supported", 413: "too-long", 415: "not-supported"}


def register(app: Flask, report: Report, tell: Tell) -> None:
    """Answer every failure with an OperationOutcome; `report` is told of those nobody expected, `tell` of 5xx."""

    def known(error: ServiceError) -> Response:
        security_events.count(error, g.get("tenant"))
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            tell(error)
        return outcome_response(error)

    def http(error: HTTPException) -> Response:
        translated = ServiceError(error.name)
        translated.status = error.code or 500
        translated.code = _HTTP_CODES.get(translated.status, "processing")
        response = outcome_response(translated)
        if allowed := getattr(error, "valid_methods", None):
            response.headers["Allow"] = ", ".join(sorted(allowed))
        return response

    def unexpected(error: Exception) -> Response:
        incident = str(uuid.uuid4())
        report(incident, error)
        return outcome_response(
            ServiceError("The estimate could not be made because of a fault in the service.", diagnostics=incident)
        )

    app.register_error_handler(ServiceError, known)
    app.register_error_handler(HTTPException, http)
    app.register_error_handler(Exception, unexpected)
