"""How many calls a tenant may send per second, in all workers and nodes, and have under way in this worker (R-G18).

The bucket of a tenant lies where every worker reaches it. A worker takes a parcel of calls from it, a twentieth of
what may come in a second, and asks again when that is used up, so that most calls ask nobody; of an empty bucket it
asks no more than twenty times a second. What a worker took and does not use ends after HOLD_S: w workers hold at most
the calls of w / 20 seconds, so that much more than the rate may come within any time, and at most w / 2 % of the rate
is lost where all but one of them stand idle.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from cds_service.tenants.tenant import Tenant
from cds_service.trust.errors import TooManyRequests

PARCEL_S = 0.05
HOLD_S = 10.0
# Longer than any wait for the database: whoever waited for the one that asked in vain does not ask as well.
BLIND_S = 2.0


class SharedAllowances(Protocol):
    """The buckets that all workers and nodes have in common."""

    def take(self, tenant_id: str, *, wanted: int, rate: float, burst: int) -> tuple[int, float] | None:
        """So many of the calls wanted as may come now, and what is left then; None where nobody can tell."""


class Throttle:
    """A token bucket and a count of calls under way for each tenant; lives as long as its worker."""

    def __init__(
        self, tenants: Sequence[Tenant], shared: SharedAllowances | None = None, *, before: Throttle | None = None
    ) -> None:
        """`shared`: the buckets of all workers; none: this worker's own.

        `before`: whose counts and buckets go on where a tenant's limits are the same.
        """
        self._shared: SharedAllowances | None = before._shared if before else shared
        known: Mapping[str, _Gate] = before._gates if before else {}
        self._gates: dict[str, _Gate] = {
            tenant.id: same
            if (same := known.get(tenant.id)) and same.limits == tenant.limits
            else _Gate(tenant, self._shared)
            for tenant in tenants
        }

    @contextlib.contextmanager
    def admitted(self, tenant: Tenant, *, now: float) -> Iterator[None]:
        """Hold a place for one call. Raises TooManyRequests with the seconds to wait. `now` in seconds, any clock."""
        gate = self._gates[tenant.id]
        gate.enter(now)
        try:
            yield
        finally:
            gate.leave()


class _Gate:
    def __init__(self, tenant: Tenant, shared: SharedAllowances | None) -> None:
        self.limits = tenant.limits
        self._own = _Own(tenant)
        self._parcels = _Parcels(tenant, shared) if shared is not None else None
        self._under_way = 0
        self._lock = threading.Lock()

    def enter(self, now: float) -> None:
        with self._lock:
            if self._under_way >= self.limits.concurrent:
                raise TooManyRequests("Too many calls at once.", retry_after_s=1)
            self._under_way += 1
        try:
            self._admit(now)
        except BaseException:
            self.leave()
            raise

    def _admit(self, now: float) -> None:
        if self._parcels is None or not self._parcels.admit(now):
            self._own.admit(now)

    def leave(self) -> None:
        with self._lock:
            self._under_way -= 1


class _Own:
    """The bucket of this worker alone."""

    def __init__(self, tenant: Tenant) -> None:
        self._limits = tenant.limits
        self._tokens = float(tenant.limits.burst)
        self._filled_at = -math.inf
        self._lock = threading.Lock()

    def admit(self, now: float) -> None:
        with self._lock:
            gained = max(0.0, now - self._filled_at) * self._limits.requests_per_s
            self._tokens = min(float(self._limits.burst), self._tokens + gained)
            self._filled_at = now
            if self._tokens < 1.0:
                raise _too_many(self._tokens, self._limits.requests_per_s)
            self._tokens -= 1.0


class _Parcels:
    """What this worker took from the bucket of all and has not used; one thread asks for more at a time."""

    def __init__(self, tenant: Tenant, shared: SharedAllowances) -> None:
        self._tenant_id, self._limits, self._shared = tenant.id, tenant.limits, shared
        self._wanted = max(1, round(PARCEL_S * tenant.limits.requests_per_s))
        self._pause_s = min(PARCEL_S, tenant.limits.burst / tenant.limits.requests_per_s / 2)
        self._held, self._held_until = 0, -math.inf
        self._empty_until, self._left = -math.inf, 0.0
        self._blind_until = -math.inf
        self._lock = threading.Lock()

    def admit(self, now: float) -> bool:
        """Use one call of the parcel; False where the buckets cannot be had: then each worker counts for itself."""
        with self._lock:
            if (self._held < 1 or now >= self._held_until) and not self._ask(now):
                return False
            self._held -= 1
            return True

    def _ask(self, now: float) -> bool:
        rate = self._limits.requests_per_s
        if now < self._empty_until:  # nobody asks again before there can be a call more
            raise _too_many(self._left, rate)
        if now < self._blind_until:
            return False
        taken = self._shared.take(self._tenant_id, wanted=self._wanted, rate=rate, burst=self._limits.burst)
        if taken is None:
            self._blind_until = now + BLIND_S
            return False
        (self._held, self._left), self._held_until = taken, now + HOLD_S
        if self._held < self._wanted:
            self._empty_until = now + max((1.0 - self._left) / rate, self._pause_s)
        if self._held < 1:
            raise _too_many(self._left, rate)
        return True


def _too_many(tokens: float, rate: float) -> TooManyRequests:
    return TooManyRequests("Too many calls.", retry_after_s=max(1, math.ceil((1.0 - tokens) / rate)))
