"""`/sandbox`: the way in for a tester who has the CDS Hooks sandbox open and wants to see a card."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response

from cds_service.demo.patients import DemoPatient
from cds_service.pages import layout


def blueprint(public_url: str, people: Sequence[DemoPatient], origins: Sequence[str]) -> Blueprint:
    """The page, with this service's own addresses, its invented patients and the origins that may call it."""
    pages = Blueprint("sandbox", __name__)

    @pages.get("/sandbox")
    def page() -> Response:
        return layout.html("demo/sandbox.html", public_url=public_url.rstrip("/"), people=people, origins=origins)

    return pages
