"""A tenant's calls under way and per second are bounded, each tenant by itself."""

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from cds_service.tenants.tenant import Limits
from cds_service.trust.errors import TooManyRequests
from cds_service.trust.throttle import Throttle
from tests.cds_service.trust.signing import a_tenant
from tests.patience import tried_again

ONE = a_tenant(id="one", limits=Limits(requests_per_s=2.0, burst=3, concurrent=2))
TWO = msgspec.structs.replace(ONE, id="two")


def test_a_burst_passes_then_the_rate_holds_and_another_tenant_is_untouched():
    throttle = Throttle([ONE, TWO])

    def call(tenant, now):
        with throttle.admitted(tenant, now=now):
            return True

    assert all(call(ONE, 0.0) for _ in range(3))
    with pytest.raises(TooManyRequests) as error:
        call(ONE, 0.0)
    assert error.value.retry_after_s == 1
    assert call(TWO, 0.0)
    assert call(ONE, 0.5)


def test_calls_under_way_are_bounded_and_leave_their_place_even_when_they_fail():
    throttle = Throttle([ONE])
    with throttle.admitted(ONE, now=0.0), contextlib.suppress(ZeroDivisionError), throttle.admitted(ONE, now=0.0):
        with pytest.raises(TooManyRequests), throttle.admitted(ONE, now=100.0):
            pass
        raise ZeroDivisionError
    with throttle.admitted(ONE, now=100.0):
        pass


@tried_again
def test_buckets_that_hang_cost_all_calls_of_a_tenant_one_wait_together():
    """Each asks under one lock: eight waits one after the other would be longer than a call may take."""
    asked = []

    class Hanging:
        def take(self, _tenant_id, **_bounds):
            asked.append(time.monotonic())
            time.sleep(0.3)

    tenant = a_tenant()
    throttle = Throttle([tenant], Hanging())

    def call():
        with throttle.admitted(tenant, now=time.monotonic()):
            pass

    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: call(), range(8)))
    assert len(asked) == 1
    assert time.monotonic() - began < 3 * 0.3
