"""What SMART launcher v2 makes of a query on its way to the FHIR server, as it was seen at the commit named.

Seen by tests/end_to_end/test_smart_launcher.py, which runs the launcher and holds the two equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

FILE = Path(__file__).with_name("launcher_urls.json")


class Handed(msgspec.Struct, frozen=True):
    """A query as it was sent to the launcher, and as it reached the server."""

    sent: str
    reached: str


class Seen(msgspec.Struct, frozen=True):
    launcher: str
    queries: tuple[Handed, ...]


def write(handed: Sequence[Handed], commit: str, path: Path) -> None:
    """For a launcher of another commit: what it does now, to be looked at before it replaces the file."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(Seen(commit, tuple(handed)))) + b"\n")


KEPT = msgspec.json.decode(FILE.read_bytes(), type=Seen).queries
