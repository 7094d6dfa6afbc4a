"""A tenant's calls are counted once for all workers and nodes, within a tenth of its rate, and seldom asked about."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from cds_service.records.records import Records
from cds_service.tenants.tenant import Limits
from cds_service.trust.errors import TooManyRequests
from cds_service.trust.throttle import PARCEL_S, Throttle
from tests.cds_service.trust.signing import a_tenant

SECONDS = 6.0
TENANT = a_tenant(id="one", limits=Limits(requests_per_s=100.0, burst=20, concurrent=64))


class Counted:
    """The buckets, and how often they were asked."""

    def __init__(self, records: Records) -> None:
        self._allowances = records.allowances
        self.asked = 0

    def take(self, tenant_id: str, *, wanted: int, rate: float, burst: int) -> tuple[int, float] | None:
        self.asked += 1
        return self._allowances.take(tenant_id, wanted=wanted, rate=rate, burst=burst)


def admitted(throttle: Throttle, until: float, pause_s: float) -> int:
    """How many calls of somebody who does not stop come in."""
    passed = 0
    while time.monotonic() < until:
        try:
            with throttle.admitted(TENANT, now=time.monotonic()):
                passed += 1
        except TooManyRequests:
            pass
        time.sleep(pause_s)
    return passed


@pytest.mark.parametrize(
    "pauses", [(0.002, 0.002, 0.002, 0.002), (0.002, 60.0, 60.0, 60.0)], ids=["all alike", "one alone"]
)
def test_the_rate_holds_for_all_workers_together(
    open_records: Callable[[], Records], pauses: tuple[float, ...]
) -> None:
    nodes = open_records(), open_records()
    shared = [Counted(nodes[number % 2]) for number in range(len(pauses))]
    throttles = [Throttle([TENANT], one) for one in shared]
    until = time.monotonic() + SECONDS
    with ThreadPoolExecutor(len(pauses)) as pool:
        busy = [
            pool.submit(admitted, one, until, pause) for one, pause in zip(throttles, pauses, strict=True) if pause < 1
        ]
        idle = sum(
            admitted(one, time.monotonic() + 0.001, 0.0) > 0
            for one, pause in zip(throttles, pauses, strict=True)
            if pause > 1
        )
        passed = sum(one.result() for one in busy)
    expected = TENANT.limits.requests_per_s * SECONDS + TENANT.limits.burst
    assert 0.5 * expected - 5 * idle <= passed <= 1.1 * expected  # a machine that stands still admits nobody
    assert sum(one.asked for one in shared) <= len(pauses) * (SECONDS / PARCEL_S + 1) + expected / 5


def test_calls_far_below_the_rate_ask_once_in_ten_seconds(records: Records) -> None:
    shared = Counted(records)
    throttle = Throttle([a_tenant(id="one")], shared)
    for number in range(50):
        with throttle.admitted(a_tenant(id="one"), now=number * 0.1):
            pass
    assert shared.asked == 1


def test_without_the_database_each_worker_counts_for_itself(records: Records) -> None:
    with records.durable.begin() as connection:
        connection.exec_driver_sql("DROP TABLE allowance")
    throttle = Throttle([TENANT], records.allowances)
    for _ in range(20):
        with throttle.admitted(TENANT, now=1.0):
            pass
    with pytest.raises(TooManyRequests), throttle.admitted(TENANT, now=1.0):
        pass


def test_who_waits_is_told_how_long(records: Records) -> None:
    tenant = a_tenant(id="slow", limits=Limits(requests_per_s=0.1, burst=1))
    throttle = Throttle([tenant], records.allowances)
    with throttle.admitted(tenant, now=1.0):
        pass
    with pytest.raises(TooManyRequests) as error, throttle.admitted(tenant, now=1.1):
        pass
    assert 5 <= error.value.retry_after_s <= 10
