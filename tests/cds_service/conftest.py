"""What the tests of the service share."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A start leaves logs and counters of its own behind in the process."""
    root, variable = logging.getLogger(), "PROMETHEUS_MULTIPROC_DIR"
    before = (root.handlers[:], root.level)
    monkeypatch.setenv(variable, "to be undone")
    yield
    root.handlers[:], root.level = before
    structlog.reset_defaults()
