"""How long a service of a test waits: longer than any machine stands still; a hospital's clinicians wait 1.8 seconds.

A machine that does other work stops a test for seconds, and an answer that came too late is then rightly refused. Tests
of what is told are not about that: what they ask waits ten seconds. Tests of the time itself take `in_time`,
hold it as tightly as before and are tried again before they have failed.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from cds_service.answering import computing
from cds_service.smart import launch
from cds_service.tenants.tenant import Tenant
from cds_service.tenants.tenant_files import demo_tenant
from cds_service.trust import key_set
from cds_service.web import deployments

# As members of a tenant's file; the most that one may ask for (tenant_rules.py).
PATIENT_ENOUGH = {"deadline_s": 10.0, "fetch_timeout_s": 9.0, "fetch_budget_s": 9.5}
# The command `cds-service`, from the repository's own folder, whose demo waits.
COMMAND = (sys.executable, "-m", "tests.patience")
_ROUNDS = 3


def patient_demo(public_url: str, **members: Any) -> Tenant:
    """The demo's tenant, but for its haste."""
    return msgspec.structs.replace(demo_tenant(public_url), **PATIENT_ENOUGH, **members)


# Where the product's times stand, and what they are in a test.
_PATIENCE: tuple[tuple[ModuleType, str, object], ...] = (
    (deployments, "demo_tenant", patient_demo),
    (launch, "BEGIN_S", 9.0),
    (launch, "FINISH_S", 9.0),
    (key_set, "FETCH_TIMEOUT_S", 9.0),
    (computing, "LATE_S", 60.0),
    # The collector goes through all that a process of tests holds, in the time of whoever's turn it is: seconds.
    (computing, "MOST_CPU_S", 60.0),
)
_IN_TIME = tuple((module, name, getattr(module, name)) for module, name, _ in _PATIENCE)


@contextmanager
def _set(times: tuple[tuple[ModuleType, str, object], ...]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in times:
            patch.setattr(module, name, value)
        yield


def patience() -> AbstractContextManager[None]:
    """A context in which a demo that is opened waits, as do sign-ins and keys, and nobody is stopped for being late."""
    return _set(_PATIENCE)


def in_time() -> AbstractContextManager[None]:
    """A context in which all these wait as in a hospital again."""
    return _set(_IN_TIME)


def in_a_quiet_moment(check: Callable[[Path], None], folder: Path) -> None:
    """A machine that others fill is late by itself: the whole is tried anew, on another node, before it has failed."""
    for number in range(_ROUNDS):
        (folder / str(number)).mkdir()
        try:
            return check(folder / str(number))
        except AssertionError as error:
            print(f"attempt {number}: {error}")
            if number == _ROUNDS - 1:
                raise
    return None


def tried_again(test: Callable[..., None]) -> Callable[..., None]:
    """A test of time, tried anew before it has failed: one that is too slow is so each time, a machine is not."""

    @functools.wraps(test)
    def attempts(*given: Any, **named: Any) -> None:
        for number in range(_ROUNDS):
            try:
                return test(*given, **named)
            except AssertionError as error:
                print(f"attempt {number}: {error}")
                if number == _ROUNDS - 1:
                    raise
        return None

    return attempts


if __name__ == "__main__":
    from cds_service.commands.cli import main

    with patience():
        main()
