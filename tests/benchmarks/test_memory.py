"""The memory of the service with two workers, after requests: what all its processes hold together."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks import bodies, bounds, measured
from tests.end_to_end import servers

pytestmark = pytest.mark.benchmark
REQUESTS = 400


def test_two_workers_share_their_code_and_tables() -> None:
    with servers.service({"id": "benchmark", "environment": "dev", "mode": "on"}, "--workers", "2") as url:
        server = measured.Server("two workers", int(url.rpartition(":")[2]))
        for _ in range(4):  # a connection each: they spread over the workers
            measured.post(server, bodies.body(), REQUESTS // 4)
        held = {process: _proportional_mb(process) for process in server.processes()}
    total = sum(held.values())
    print(f"\n{len(held)} processes: {total:.0f} MB {bounds.MEMORY_MB}", sorted(map(round, held.values())))
    assert bounds.MEMORY_MB.holds(total)


def _proportional_mb(process: int) -> float:
    """What the process holds in memory, of pages that it shares its part (proc_pid_smaps(5), Pss)."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) / 1024
