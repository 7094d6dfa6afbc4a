"""How many calls a tenant may have under way and may send per second, in this worker (R-G18)."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator, Mapping, Sequence

from cds_service.tenants.tenant import Tenant
from cds_service.trust.errors import TooManyRequests


class Throttle:
    """A token bucket and a count of calls under way for each tenant; lives as long as its worker."""

    def __init__(self, tenants: Sequence[Tenant], *, before: Throttle | None = None) -> None:
        """`before`: whose counts go on where a tenant's limits are the same."""
        known: Mapping[str, _Gate] = before._gates if before else {}
        self._gates: dict[str, _Gate] = {
            tenant.id: same if (same := known.get(tenant.id)) and same.limits == tenant.limits else _Gate(tenant)
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
    def __init__(self, tenant: Tenant) -> None:
        self.limits = tenant.limits
        self._tokens = float(tenant.limits.burst)
        self._filled_at = -math.inf
        self._under_way = 0
        self._lock = threading.Lock()

    def enter(self, now: float) -> None:
        with self._lock:
            gained = max(0.0, now - self._filled_at) * self.limits.requests_per_s
            self._tokens = min(float(self.limits.burst), self._tokens + gained)
            self._filled_at = now
            if self._under_way >= self.limits.concurrent:
                raise TooManyRequests("Too many calls at once.", retry_after_s=1)
            if self._tokens < 1.0:
                wait_s = math.ceil((1.0 - self._tokens) / self.limits.requests_per_s)
                raise TooManyRequests("Too many calls.", retry_after_s=max(1, wait_s))
            self._tokens -= 1.0
            self._under_way += 1

    def leave(self) -> None:
        with self._lock:
            self._under_way -= 1
