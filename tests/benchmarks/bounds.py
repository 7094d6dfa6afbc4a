"""What each measurement of speed and memory is held to: far enough from what any machine has measured.

The same code measures differently on another day: neighbours fill the processor's caches, and what touches much memory
loses more by it than json.loads does. A bound that stands closer to a measurement than that fails for no fault, as one
did on 30 Nov 2026 (1.03 of json.loads, 1.0 asserted). So a bound says what it was held beside, and
tests/benchmarks/test_bounds.py that it stands a quarter or more away.
"""

from __future__ import annotations

import msgspec

MARGIN = 1.25


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """One bound: what is asked for where something is, the worst that was measured of this code, what is asserted.

    `worst` is the worst of any machine, CI's beside others too. Ratios and microseconds beside a yardstick are as they
    are printed; `least` says that the larger value is the better one.
    """

    asked: float | None = None
    worst: float
    held: float
    least: bool = False

    def holds(self, value: float) -> bool:
        return value >= self.held if self.least else value <= self.held

    @property
    def margin(self) -> float:
        """How many times worse than the worst measurement a value may be."""
        return self.worst / self.held if self.least else self.held / self.worst

    def __str__(self) -> str:
        asked = "" if self.asked is None else f"asked for: {self.asked:g}, "
        return f"({asked}asserted: {self.held:g})"


# Throughput beside a route that only parses the same body, by processor time. 0.63, 0.43 and 0.38 on the quiet machine
# of 24 Nov 2026, for less that the service did then.
MAIN_JOB = Bound(asked=0.6, worst=0.45, held=0.35, least=True)
RECORDED = Bound(asked=0.4, worst=0.31, held=0.22, least=True)
WHOLE = Bound(asked=0.55, worst=0.26, held=0.18, least=True)
# What an answer takes beyond the one wait of 20 ms for its searches, beside the same answer with everything prefetched.
# Searches in two waves instead of one would stand at 6 and more.
FETCHING = Bound(worst=3.2, held=4.5)
# The 113 kB request, read and derived, beside json.loads of it: 0.53 to 0.69 at d6622c7.
MAPPING = Bound(worst=1.03, held=1.4)
# The cost of one Observation among 10,000 beside its cost among 1,000: caches are smaller than 5 MB.
LINEARITY = Bound(asked=1.0, worst=0.9, held=2.0)
# 10,000 Observations: milliseconds, or the part of json.loads on a machine that needs above 60 ms for it.
MAPPING_10_000_MS = Bound(asked=25.0, worst=26.7, held=40.0)
MAPPING_10_000_RATIO = Bound(worst=0.27, held=0.42)
# Megabytes of an arbiter and two workers. 267 at d6622c7, 302 before code and tables were shared.
MEMORY_MB = Bound(asked=170, worst=209, held=262)
# Microseconds as on the machine whose json.loads of the yardstick takes 21.3 (test_models.py).
MODELS_US = Bound(asked=60.0, worst=55.0, held=75.0)
MISSING_US = Bound(asked=150.0, worst=133.0, held=175.0)
