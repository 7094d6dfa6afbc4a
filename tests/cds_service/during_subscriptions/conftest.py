"""A server that tells of operations, and a hospital that hears it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cds_service.during_subscriptions.backport_server import BackportServer, serving
from tests.cds_service.during_subscriptions.sourced_hospital import SECRET, VARIABLE, SourcedHospital

MakeHospital = Callable[..., SourcedHospital]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeHospital]:
    """A hospital with a server of its own; `server`: what kind of server."""
    monkeypatch.setenv(VARIABLE, SECRET)
    with ExitStack() as stack:

        def made(server: BackportServer | None = None, **members: Any) -> SourcedHospital:
            return SourcedHospital(tmp_path, stack.enter_context(serving(server or BackportServer())), **members)

        yield made


@pytest.fixture
def hospital(make: MakeHospital) -> SourcedHospital:
    """One whose Subscription has shaken hands."""
    one = make()
    assert one.send(one.server.handshake()).status_code == 200
    return one
