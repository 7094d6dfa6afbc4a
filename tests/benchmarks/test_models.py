"""What the models cost: everybody through every model, and what missing inputs could do. CPU time, best of many."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import numpy as np
import pytest

from models_onnx.missing_ranges import missing_ranges
from models_onnx.registry import Registry, load
from tests.benchmarks import bounds
from tests.models_onnx.people import a_person

pytestmark = pytest.mark.benchmark
# The yardstick taken in turn with each: json.loads of 1.2 kB, 21.3 us on the quiet machine on which these were
# measured (50 and 85 to 133 us). Where the yardstick takes longer, the limits are longer by as much.
YARDSTICK = json.dumps([{"a": number, "b": [1.5 * number, "x" * (number % 7)]} for number in range(40)])
YARDSTICK_US = 21.3
REPEATS, CALLS = 60, 100
PATIENCE_S = 15.0


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load(class_b=True)


def best_us(*calls: Callable[[], object], limits: tuple[float, ...]) -> list[float]:
    """Microseconds of this thread's CPU per call, as if on the quiet machine: the least of many repeats.

    Others use the machine too: the calls are taken in turn, and again for a while as long as one is above its limit.
    """
    least = [float("inf")] * (1 + len(calls))
    works, end = (lambda: json.loads(YARDSTICK), *calls), time.monotonic() + PATIENCE_S
    while True:
        for _ in range(REPEATS):
            least = [min(one, cpu_us(work)) for one, work in zip(least, works, strict=True)]
        slower = max(1.0, least[0] / YARDSTICK_US)
        found = [one / slower for one in least[1:]]
        if time.monotonic() > end or all(one <= limit for one, limit in zip(found, limits, strict=True)):
            return found


def cpu_us(call: Callable[[], object]) -> float:
    before = time.thread_time()
    for _ in range(CALLS):
        call()
    return 1e6 * (time.thread_time() - before) / CALLS


def test_every_model_with_contributions_and_intervals_takes_some_tens_of_us(registry: Registry) -> None:
    person = a_person()

    def run() -> object:
        row, _ = registry.encoding.row(person)
        return registry.run(np.array([row]))

    run_us, score_us = best_us(run, lambda: registry.score(person), limits=(bounds.MODELS_US.held, float("inf")))
    print(f"\n  input, run and numbers {run_us:.1f} us {bounds.MODELS_US}; with every Score made {score_us:.1f} us")
    assert bounds.MODELS_US.holds(run_us)


@pytest.mark.parametrize(
    "missing",
    [["asa_class"], ["asa_class", "bmi"], ["asa_class", "bmi", "sex", "functional_status", "creatinine", "sepsis"]],
    ids=len,
)
def test_what_missing_inputs_could_do_takes_little_more(registry: Registry, missing: list[str]) -> None:
    person = a_person(**dict.fromkeys(missing))
    limits = {"any-complication": (0.1, 0.2), "30-day-death": (0.005, 0.01)}
    enough = (bounds.MISSING_US.held,)
    (ranges_us,) = best_us(lambda: missing_ranges(registry, person, thresholds=limits), limits=enough)
    print(f"\n  {len(missing)} inputs missing: {ranges_us:.1f} us {bounds.MISSING_US}")
    assert bounds.MISSING_US.holds(ranges_us)
