"""`/.well-known/security.txt` (RFC 9116): to whom a weakness is told, and until when this version is looked after."""

from __future__ import annotations

from flask import Blueprint, Response

PROJECT = "https://github.com/surgical-risk/surgical-risk"
CONTACT = f"{PROJECT}/security/advisories/new"
# The end of this version's support (docs/versions.md): past it nobody promises to read what is told of it.
EXPIRES = "2027-11-01T00:00:00Z"


def text(contact: str = "") -> str:
    """The file: a deployment's own contact first, the project's after it."""
    contacts = [one for one in (contact, CONTACT) if one]
    lines = [*(f"Contact: {one}" for one in contacts), f"Expires: {EXPIRES}", "Preferred-Languages: en"]
    return "\n".join([*lines, f"Policy: {PROJECT}/blob/main/.github/SECURITY.md", ""])


def blueprint(contact: str) -> Blueprint:
    """The route; it needs no sign-in and holds nothing of a patient."""
    routes = Blueprint("security-txt", __name__)

    @routes.get("/.well-known/security.txt")
    def security_txt() -> Response:
        return Response(text(contact), mimetype="text/plain", headers={"Cache-Control": "max-age=86400"})

    return routes
