"""What every page shares: templates, styles, and headers that let a page load nothing but our own files."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, render_template, request

from cds_service.pages import words

# R-G13: pages run no inline script or style and reach no other host. A SMART app is opened inside an EHR,
# so who may frame a page is told per page.
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
)
_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


def blueprint() -> Blueprint:
    """Templates and static files; registered once, beside the blueprints of the pages."""
    shared = Blueprint(
        "pages", __name__, template_folder="templates", static_folder="static", static_url_path="/assets"
    )
    for name in ("percent", "share", "plain", "label", "number", "operation"):
        shared.add_app_template_filter(getattr(words, name))
    return shared


def html(template: str, *, status: int = 200, cached: bool = False, ancestors: str = "'none'", **told: Any) -> Response:
    """A page. `cached` only for pages that are the same for everyone: all others may hold a patient's data."""
    page = render_template(template, workbench=_has_a_workbench(), **told)
    response = Response(page, status=status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = _POLICY.format(ancestors=ancestors)
    response.headers["Cache-Control"] = "public, max-age=300" if cached else "no-store"
    response.headers["Vary"] = "Accept"
    response.headers.update(_HEADERS)
    return response


def _has_a_workbench() -> bool:
    """Whether the start page is the workbench; a clinician's profile and cases lead nowhere but to their own pages."""
    return "workbench" in current_app.blueprints and not request.path.startswith(("/smart/", "/during/"))


def is_for_a_browser() -> bool:
    """Whether a person opened this address: a browser asks for a page by name, a program that takes any does not."""
    return request.method in ("GET", "HEAD") and "text/html" in request.accept_mimetypes.values()


def wants_json() -> bool:
    """Whether the caller asked for JSON rather than for a page; a page where it has no preference."""
    return request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html") != "text/html"
