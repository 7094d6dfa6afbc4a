"""What holds for the whole suite: no proxies, no reference material where it is absent."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests import made_once, opened_records, patience

SHARED = Path(__file__).resolve().parents[2] / "shared"

# No machine is too slow for a generated case; in CI they are the same in every run: what fails there can be run again.
_UNHURRIED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("here", **_UNHURRIED)
settings.register_profile("ci", derandomize=True, **_UNHURRIED)
settings.load_profile("ci" if os.environ.get("CI") else "here")

# A proxy of the environment must never see a test's loopback traffic.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
# No test's node takes leave of anybody, but those that are about that (tests/end_to_end/test_drain.py).
os.environ["CDS_DRAIN_S"] = "0"
# What threadpoolctl sets on its import, in whichever test that comes first.
os.environ.setdefault("KMP_DUPLICATE_LIB_OK", "True")


def pytest_configure(config: pytest.Config) -> None:
    """A hook of a conftest is not asked about fixtures of the whole run; a plugin is."""
    config.pluginmanager.register(opened_records)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect, not skip, what needs material that is absent: a skipped test fails CI, and this has no subject."""
    there = {"shared": SHARED.is_dir(), "sandbox": bool(os.environ.get("SANDBOX"))}
    there["launcher"] = bool(os.environ.get("LAUNCHER"))
    without = [name for name, is_there in there.items() if not is_there]
    kept: list[pytest.Item] = []
    absent: list[pytest.Item] = []
    for item in items:
        (absent if any(item.get_closest_marker(name) for name in without) else kept).append(item)
    if absent:
        items[:] = kept
        config.hook.pytest_deselected(items=absent)


@pytest.fixture(scope="session", autouse=True)
def _made_once() -> Iterator[None]:
    with made_once.made_once(), opened_records.noted():
        yield


@pytest.fixture(scope="module", autouse=True)
def _what_a_module_opened_is_closed(_made_once: None) -> Iterator[None]:
    with opened_records.closed():
        yield


@pytest.fixture
def made_anew() -> Iterator[None]:
    """This test reads the shipped models and runs every migration itself."""
    with made_once.made_anew():
        yield


@pytest.fixture(scope="session", autouse=True)
def _nobody_hurries() -> Iterator[None]:
    with patience.patience():
        yield


@pytest.fixture(autouse=True)
def _the_environment_stays() -> Iterator[None]:
    """What one test leaves in it another one finds, or not, by who ran before."""
    before = _environment()
    yield
    assert _environment() == before


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


@pytest.fixture
def in_time() -> Iterator[None]:
    """What this test opens waits no longer than in a hospital."""
    with patience.in_time():
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference material beside the repository; only for tests marked `shared`."""
    return SHARED


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """In CI a skipped test is a failure: what cannot run there is not proven there."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: skipped in CI"
