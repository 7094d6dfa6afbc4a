"""Nothing that is done to foreign text may take longer than in proportion to it: every expression, every guard.

One request with 64 KiB of blanks held a worker for half a minute. So every compiled expression of the packages, and
every function that looks at a whole body, is run on texts of one character, or of a few that repeat, of 64 and 128 KiB.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import itertools
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

import cds_service
import fhir_mappings
from cds_service.hooks import feedback
from cds_service.hooks import request as hook_request
from cds_service.patient_data import prefetch
from cds_service.tenants.tenant import Limits
from cds_service.trust import errors, json_limits, json_names

SIZE = 64 * 1024
# Of the time for n at 2n, and seconds at n on a machine that translates 300,000 characters in `YARDSTICK_S`.
MOST_RATIO, MOST_S, NOISE_S = 2.6, 0.020, 0.002
ROUNDS = 5
YARDSTICK_S = 0.012

PIECES = {
    "blanks": " ",
    "no-break blanks": "\u00a0",
    "digits": "7",
    "letters": "a",
    "escaped quotes": '\\"',
    "quotes": '"',
    "backslashes": "\\",
    "braces": "{",
    "brackets": "[",
    "commas": ",",
    "dots": ".",
    "digits and blanks": "1 ",
    "digits and commas": "1,",
    "lines": "\n",
    "exponents": "1e111,",
    "strings": '"",',
    "surrogates": "\\ud83d",
    "identifiers": "1.12345678",
    "escapes": "\\u0041",
    "signs": "-",
}
ENDS = ("", "x", '"')
FRAMES = {
    "bare": "{}",
    "hook": '{{"hook":"{}',
    "string": '{{"hook":"{}"}}',
    "value": '{{"resourceType":"Bundle","entry":[{}]}}',
    "list": "[{}]",
    "prefetch": '{{"hook":"order-sign","hookInstance":"1","context":{{}},"prefetch":{{"patient":{{"a":"{}"}}}}}}',
}


def modules() -> Iterator[ModuleType]:
    for package in (cds_service, fhir_mappings):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if found.name.rpartition(".")[2] in ("__main__", "gunicorn_conf", "server", "http_worker"):
                continue
            with contextlib.suppress(ModuleNotFoundError):  # of an extra that is not installed
                yield importlib.import_module(found.name)


def expressions() -> dict[str, re.Pattern[Any]]:
    """Every compiled expression that a module of the packages holds, alone or in a collection."""
    found: dict[str, re.Pattern[Any]] = {}
    for module in modules():
        for member, value in vars(module).items():
            kept = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple | set) else ()
            for number, one in enumerate([value, *kept]):
                if isinstance(one, re.Pattern):
                    found[f"{module.__name__}.{member}" + f"[{number}]" * bool(number)] = one
    assert len(found) > 20
    return found


EXPRESSIONS = expressions()


def uses(name: str) -> list[Callable[[Any], object]]:
    """The ways in which the packages use an expression; all ways where that cannot be told from their text."""
    member = name.rpartition(".")[2].partition("[")[0]
    found = {way for way in WAYS if "[" not in name and any(f"{member}.{way}(" in text for text in SOURCES)}
    return [WAYS[way](EXPRESSIONS[name]) for way in sorted(found or {"fullmatch", "search"})]


WAYS: dict[str, Callable[[re.Pattern[Any]], Callable[[Any], object]]] = {
    "match": lambda one: one.match,
    "fullmatch": lambda one: one.fullmatch,
    "search": lambda one: one.search,
    "findall": lambda one: one.findall,
    "finditer": lambda one: lambda text: sum(1 for _ in one.finditer(text)),
    "split": lambda one: one.split,
    "sub": lambda one: lambda text: one.sub(text[:0], text),
}
SOURCES = [Path(str(module.__file__)).read_text() for module in modules()]


def seconds(work: Callable[[Any], object], text: Any) -> float:
    started = time.process_time()
    work(text)
    return time.process_time() - started


def slowness() -> float:
    """How much slower this machine is now than the one on which the limit was set."""
    text = "a1 " * 100_000
    return max(1.0, min(seconds(lambda one: one.translate({97: 98}), text) for _ in range(3)) / YARDSTICK_S)


@functools.lru_cache(maxsize=1024)
def a_text(piece: str, end: str, frame: str, size: int) -> bytes:
    return frame.format(piece * (size // len(piece)) + end).encode()


def assert_linear(
    work: Callable[[Any], object], piece: str, end: str, *, frame: str = "{}", text: bool = False
) -> None:
    """`text`: the work takes a str."""

    def of(size: int) -> Any:
        made = a_text(piece, end, frame, size)
        return made.decode() if text else made

    few, many, twice = of(SIZE // 16), of(SIZE), of(2 * SIZE)
    found = ""
    for _ in range(ROUNDS):  # each figure anew: neighbours come and go between two of them
        if not (found := _too_slow(work, few, many, twice)):
            return
    raise AssertionError(found)


def _too_slow(work: Callable[[Any], object], few: Any, many: Any, twice: Any) -> str:
    """What of it takes too long; "" for what does not."""
    if seconds(work, few) >= MOST_S and seconds(work, few) >= MOST_S * slowness():
        return "at 4 KiB"
    once = min(seconds(work, many) for _ in range(1 if seconds(work, many) < NOISE_S else 3))
    if once < NOISE_S:
        return ""
    if once >= MOST_S and once >= MOST_S * slowness():
        return f"{once:.3f} s at 64 KiB"
    ratio = min(seconds(work, twice) for _ in range(3)) / once
    return f"{ratio:.1f} times as long for twice the text" if ratio >= MOST_RATIO else ""


@pytest.mark.parametrize("name", sorted(EXPRESSIONS))
def test_every_expression_takes_time_in_proportion_to_its_text(name: str) -> None:
    for use, piece, end in itertools.product(uses(name), PIECES.values(), ENDS):
        assert_linear(use, piece, end, text=isinstance(EXPRESSIONS[name].pattern, str))


def quiet(work: Callable[[bytes], object]) -> Callable[[bytes], object]:
    def run(text: bytes) -> None:
        with contextlib.suppress(errors.ServiceError, msgspec.MsgspecError, ValueError, RecursionError):
            work(text)

    return run


LIMITS = Limits()
GUARDS: dict[str, Callable[[bytes], object]] = {
    "limits": lambda body: json_limits.check(body, LIMITS),
    "limits, short numbers": lambda body: json_limits.check(body, msgspec.structs.replace(LIMITS, number_characters=8)),
    "limits, short strings": lambda body: json_limits.check(body, msgspec.structs.replace(LIMITS, string_characters=8)),
    "repeated": json_names.refuse_repeated_anywhere,
    "request": lambda body: hook_request.read_request(body, offered=("order-sign",)),
    "feedback": lambda body: feedback.read_feedback(body, LIMITS),
    "prefetched": lambda body: prefetch.read_page(msgspec.Raw(body)),
    "prefetched at once": lambda body: prefetch.read_at_once(msgspec.Raw(body)),
    "fetched": lambda body: prefetch.read_page(msgspec.Raw(body), supplied="fetched"),
}


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("guard", GUARDS)
def test_every_guard_takes_time_in_proportion_to_the_body(guard: str, frame: str) -> None:
    for piece, end in itertools.product(PIECES.values(), ENDS):
        assert_linear(quiet(GUARDS[guard]), piece, end, frame=FRAMES[frame])
