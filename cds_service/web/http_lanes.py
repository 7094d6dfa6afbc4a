"""How many of a worker's threads one tenant's requests may hold, told from the head of each: at most half.

Who calls is read from the token as anybody could have written it, for this and nothing else: whoever writes another
hospital's name into a token that nobody signed waits in that hospital's lane, and is refused there in a millisecond.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections import deque
from contextvars import ContextVar
from typing import Any, Generic, Protocol, TypeVar

import msgspec

# What an application says of itself (app.extensions) where more than one tenant shares it.
SHARED = "surgical-risk-shared"
# Answered by threads of their own: they tell whether the others are held.
OPERATIONS = "operations"
# And this by one that never waits for anything: what it tells is that the process is there.
LIVE = "live"
SIGN_IN = "sign-in"
# What is recorded of an operation under way, and its pages, come each second or two: a small share of the threads each,
# so that an answer to an order waits for neither.
DURING = "during"
# A request that did not get a thread by then would be late for its EHR (DEC-02).
WAIT_AT_MOST_S = 2.0
# When the request that this thread answers was here (monotonic seconds): what it waited for a thread is its time too.
ARRIVED: ContextVar[float | None] = ContextVar("arrived", default=None)
_OPERATIONS_PATHS = {b"/livez": LIVE} | dict.fromkeys((b"/health", b"/ready", b"/readyz", b"/metrics"), OPERATIONS)
# A prefix of public_url may stand before it (pages/prefix.py).
_SIGN_IN_PATH = re.compile(rb"/smart/(?:launch|callback)")
_DURING_PATH = re.compile(rb"/during(?:/([A-Za-z0-9._-]{1,64}))?(?:/|$)")
_MOST_CHARACTERS = 512
_TOKEN = re.compile(rb"\r\nauthorization:[ \t]*bearer +[A-Za-z0-9_-]+\.([A-Za-z0-9_-]{1,16384})\.", re.IGNORECASE)


class _Claims(msgspec.Struct):
    iss: str = ""
    tenant: Any = None


def lane_of(head: bytes) -> str:
    """The lane of a request: by its path, or by the issuer and tenant that its token names."""
    method, _, rest = head.lstrip(b"\r\n").partition(b" ")
    path = rest.partition(b" ")[0].partition(b"?")[0]
    if (lane := _OPERATIONS_PATHS.get(path)) is not None:
        return lane
    if _SIGN_IN_PATH.search(path):
        return SIGN_IN
    if (during := _DURING_PATH.search(path)) is not None:
        return f"{DURING} {(during[1] or b'').decode()} {'pages' if method == b'GET' else 'sent'}"
    token = _TOKEN.search(head)
    if token is None:
        return ""
    segment = token[1]
    try:
        claims = msgspec.json.decode(urlsafe_b64decode(segment + b"=" * (-len(segment) % 4)), type=_Claims)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        return ""
    return f"{claims.iss[:_MOST_CHARACTERS]} {claims.tenant if isinstance(claims.tenant, str) else ''}"[
        :_MOST_CHARACTERS
    ]


class Waiting(Protocol):
    """A connection whose request has come: its lane, and until when it may wait (monotonic seconds)."""

    lane: str
    until: float


W = TypeVar("W", bound=Waiting)


class Lanes(Generic[W]):
    """The requests under way and waiting, by lane; used by the worker's main loop alone."""

    def __init__(self, most: int) -> None:
        """`most`: how many of one lane may be under way, from now on; `most_during`: of one of operations under way."""
        self.most = self.most_during = most
        self._under_way: dict[str, int] = {}
        self._waiting: dict[str, deque[W]] = {}

    def share(self, threads: int, *, shared: bool) -> None:
        """Where several tenants share the threads, each may hold half of them.

        What is recorded of its operations, and their pages, hold a quarter each of what a tenant may hold.
        """
        self.most = max(1, threads // 2) if shared else threads
        self.most_during = max(1, self.most // 4)

    def enter(self, one: W) -> bool:
        """Whether the request may have a thread now; else it waits for one of its own lane."""
        held = self._under_way.get(one.lane, 0)
        if held >= (self.most_during if one.lane.startswith(f"{DURING} ") else self.most):
            self._waiting.setdefault(one.lane, deque()).append(one)
            return False
        self._under_way[one.lane] = held + 1
        return True

    def leave(self, lane: str) -> W | None:
        """A request of the lane is over: the next of it, which has its thread now; None where nobody waits."""
        waiting = self._waiting.get(lane)
        if waiting:
            following = waiting.popleft()
            if not waiting:
                del self._waiting[lane]
            return following
        held = self._under_way.get(lane, 0) - 1
        if held > 0:
            self._under_way[lane] = held
        else:
            self._under_way.pop(lane, None)
        return None

    def overdue(self, now: float) -> list[W]:
        """Those that waited too long; they wait no more."""
        late: list[W] = []
        for lane in list(self._waiting):
            waiting = self._waiting[lane]
            while waiting and waiting[0].until <= now:
                late.append(waiting.popleft())
            if not waiting:
                del self._waiting[lane]
        return late
