"""What the official sandbox really sent, kept as it came, and the tenant to which it was sent.

Recorded by `SANDBOX=folder python -m tests.end_to_end.record_sandbox` from cds-hooks/sandbox at the commit that each
file names; never edited by hand. Its key pair is public, so the tokens in them prove nothing to a production tenant.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

FOLDER = Path(__file__).with_name("official_sandbox")
JWKS = FOLDER / "jwks.json"
ISSUER = "https://sandbox.cds-hooks.org"


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One request: `body` is its very text, `received` when it was sent, `url` where to."""

    sandbox: str
    did: str
    received: datetime
    url: str
    headers: dict[str, str]
    body: str

    @property
    def base(self) -> str:
        """The tenant's public URL, which the token names as its audience."""
        return self.url.partition("/cds-services")[0]


def recorded() -> dict[str, Exchange]:
    """By the name of the file, in the order in which they were sent."""
    read = msgspec.json.Decoder(Exchange).decode
    return {path.stem: read(path.read_bytes()) for path in sorted(FOLDER.glob("[0-9]*.json"))}


def tenant(keys: dict[str, Any]) -> dict[str, Any]:
    """A dev tenant that pins the sandbox's key, as docs/sandbox.md tells; it may ask no FHIR server."""
    return {
        "id": "official-sandbox",
        "environment": "dev",
        "vendor_profile": "sandbox",
        "mode": "on",
        "card_floor": 0.0,
        "explain_silence": True,
        "clients": [{"issuer": ISSUER, "jwks": keys}],
        "fhir_base_urls": ["https://fhir.example.org/r4"],
        "cors_origins": ["http://127.0.0.1:8080"],
        "hooks": ["order-select", "order-sign", "patient-view"],
    }


def pinned() -> dict[str, Any]:
    """The sandbox's public keys as its own site publishes them."""
    keys: dict[str, Any] = json.loads(JWKS.read_bytes())
    return keys
