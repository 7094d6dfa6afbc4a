"""What clients that nobody here wrote really sent, kept as it came: Medplum's and HealthChain's.

Recorded by `python -m tests.end_to_end.record_clients` with the versions that each file names; never edited by hand.
The official sandbox's are in sandbox_exchanges.py.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

FOLDER = Path(__file__).with_name("other_clients")


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One request: `body` is its very text, `received` when it was sent, `path` where to; `client` with its version."""

    client: str
    did: str
    received: datetime
    path: str
    headers: dict[str, str]
    body: str


def recorded() -> dict[str, tuple[Exchange, ...]]:
    """By client, in the order in which they were sent."""
    read = msgspec.json.Decoder(tuple[Exchange, ...]).decode
    return {path.stem: read(path.read_bytes()) for path in sorted(FOLDER.glob("*.json"))}


def keep(client: str, exchanges: tuple[Exchange, ...]) -> None:
    """Those of one client, in the place of what was kept of it."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{client}.json").write_bytes(msgspec.json.format(msgspec.json.encode(exchanges)) + b"\n")
