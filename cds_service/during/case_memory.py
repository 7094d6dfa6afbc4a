"""What a worker remembers of the cases that are looked at: bounded in bytes, and forgotten when nobody looks."""

from __future__ import annotations

import math
import sys
import threading
import time
from bisect import insort
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import force_setattr

from cds_service.records.case_reading import NEVER, CaseReading, CaseStamp, ReadPart
from cds_service.records.during_cases import KeptCase
from fhir_mappings.during.case_content import CaseContent
from fhir_mappings.during.course import CourseEntry

# Of all cases of a worker together. What does not fit is read anew at each look, as if nothing were remembered.
MOST_BYTES = 128 * 1024 * 1024
# A page renews itself every few seconds (RENEWALS): nobody looks any more.
UNSEEN_S = 30.0
# Pages are made one at a time in a worker, so that an answer to an order never waits for more than one of them.
WAIT_S = 1.0
# While a page is made, whoever else has something to compute gets the interpreter after this long, not after 5 ms.
# Measured on a busy machine beside pages made one after the other: the median of an order's answer fell by half.
YIELDS_S = 0.0005
_USUAL_S = sys.getswitchinterval()
# What was told a moment ago is told again where nothing came since then.
SAME_S = 1.0
# After how many seconds a page renews itself, by the share of its time that a worker spends on pages: what is sent and
# asked beside does not wait for pictures. How soon a value is seen beside so many rooms: docs/during.md.
RENEWALS = ((0.25, 1), (0.5, 2), (1.0, 4))
SHARE_S = 10.0
# Where pages cannot be made in time the last one is shown, with its age, if it is not older than this.
OLDEST_S = 20.0

_CASE_BYTES = 4_096  # of a case without any part
_ENTRY = msgspec.json.Decoder(CourseEntry)
_text = msgspec.json.Encoder().encode
Values = Mapping[str, Any]


class ToldCase(msgspec.Struct, frozen=True):
    """What a page told of a case as of an instant."""

    at: datetime
    stamp: CaseStamp
    values: Values


class CasesBusyError(Exception):
    """No page could be made in time; `last` is what was told before, None where it is too old or there is nothing."""

    def __init__(self, last: ToldCase | None) -> None:
        super().__init__("pages of other cases are being made")
        self.last = last


class HeldCase:
    """One case as it was read: Observations in the order of their text, however they came."""

    def __init__(self, tenant_id: str) -> None:
        self.tenant_id = tenant_id
        self.stamp = NEVER
        self.own: set[bytes] = set()
        self.loose: set[bytes] = set()
        self.size, self.seen, self._told = _CASE_BYTES, 0.0, 0
        self.last: ToldCase | None = None
        self._times: list[str] = []
        self._births: set[str] = set()
        self._unread: list[str] = []
        self._entries: list[CourseEntry] = []

    def take(self, part: ReadPart) -> None:
        """Keep a part. Of what names no encounter the times are of any stay, and count for none."""
        known, other = (self.loose, self.own) if part.loose else (self.own, self.loose)
        known.add(part.digest)
        self.size += _size(part)
        if part.kind == "observation" and part.digest not in other:
            self._unread.append(part.body)
        elif part.kind == "times" and not part.loose:
            self._times.append(part.body)
        elif part.kind == "birth":
            self._births.add(part.body)

    def told(self, at: datetime, make: Callable[[], Values]) -> Values:
        """What `make` tells of the case at an instant, or what was told a moment ago if nothing came since."""
        last = self.last
        if last is None or last.stamp != self.stamp or not 0 <= (at - last.at).total_seconds() < SAME_S:
            last = self.last = ToldCase(at, self.stamp, make())
            self.size += _length(last) - self._told
            self._told = _length(last)
        return last.values

    @property
    def content(self) -> CaseContent:
        """All but the Observations, as the store gives it."""
        return CaseContent((), tuple(sorted(self._times)), tuple(sorted(self._births)), self.stamp.refused)

    def entries(self) -> list[CourseEntry]:
        """The Observations; what was not looked at before is read now. The order is that of `case_view.entries_of`."""
        if len(self._unread) > max(100, len(self._entries) // 10):
            bodies = self._unread + [_text(entry).decode() for entry in self._entries]
            self._entries = [_read(body) for body in sorted(bodies)]
        else:
            for body in self._unread:
                insort(self._entries, _read(body), key=_text)
        self._unread = []
        return self._entries


class CaseMemory:
    """The cases that are looked at now, by their ids; used by one thread at a time."""

    def __init__(
        self,
        reading: CaseReading,
        *,
        most_bytes: int = MOST_BYTES,
        wait_s: float = WAIT_S,
        unseen_s: float = UNSEEN_S,
    ) -> None:
        self._reading, self._most, self._wait_s, self._unseen_s = reading, most_bytes, wait_s, unseen_s
        self._held: dict[str, HeldCase] = {}
        self._making, self._made_s, self._made_at = threading.Lock(), 0.0, time.monotonic()
        self._forgetting: threading.Timer | None = None

    @property
    def size(self) -> int:
        """How many bytes are held, as they are counted."""
        return sum(one.size for one in tuple(self._held.values()))

    @contextmanager
    def of(self, case: KeptCase) -> Iterator[HeldCase]:
        """The case as it is now, while nobody else makes a page. Raises CasesBusyError, DatabaseError."""
        if not self._making.acquire(timeout=self._wait_s):
            held = self._held.get(case.id)
            raise CasesBusyError(held.last if held is not None else None)
        began = time.monotonic()
        sys.setswitchinterval(YIELDS_S)
        try:
            yield self._read(case)
        finally:
            sys.setswitchinterval(_USUAL_S)
            now = time.monotonic()
            self._made_s, self._made_at = self._lately(now) + now - began, now
            self._making.release()

    @property
    def renew_s(self) -> int:
        """After how many seconds a page is renewed: more, the more of its time this worker makes pages."""
        share = self._lately(time.monotonic()) / SHARE_S
        return next((seconds for most, seconds in RENEWALS if share <= most), RENEWALS[-1][1])

    def _lately(self, now: float) -> float:
        """For how long pages were made in the last seconds; what is older weighs less and less."""
        return self._made_s * math.exp((self._made_at - now) / SHARE_S)

    def forget(self, tenant_id: str, case_id: str = "") -> None:
        """Forget a case that is not there, or without an id all of a tenant, of which nothing may be shown."""
        for name, one in tuple(self._held.items()):
            if one.tenant_id == tenant_id and case_id in ("", name):
                self._held.pop(name, None)

    def _read(self, case: KeptCase) -> HeldCase:
        held = self._held.get(case.id) or HeldCase(case.key.tenant_id)
        news = self._reading.since(case, held.stamp, held.own, held.loose)
        if news.anew:
            held = HeldCase(case.key.tenant_id)
        held.stamp, held.seen = news.stamp, time.monotonic()
        for part in news.parts:
            held.take(part)
        self._keep(case.id, held)
        return held

    def _keep(self, case_id: str, held: HeldCase) -> None:
        """Remember it where there is room; who is remembered is not pushed out by who comes later."""
        self._held.pop(case_id, None)
        if self.size + held.size > self._most:
            self._forget_unseen()
        if self.size + held.size <= self._most:
            self._held[case_id] = held
            self._look_again()

    def _forget_unseen(self) -> None:
        now = time.monotonic()
        for name, one in tuple(self._held.items()):
            if now - one.seen > self._unseen_s:
                self._held.pop(name, None)

    def _look_again(self) -> None:
        if self._forgetting is None:
            self._forgetting = threading.Timer(self._unseen_s, self._forget_later)
            self._forgetting.daemon = True
            self._forgetting.start()

    def _forget_later(self) -> None:
        with self._making:
            self._forget_unseen()
            self._forgetting = None
            if self._held:
                self._look_again()


def _read(body: str) -> CourseEntry:
    """As it was kept; texts that every Observation of a case repeats are held once."""
    entry = _ENTRY.decode(body)
    force_setattr(entry, "status", sys.intern(entry.status))
    force_setattr(entry, "version", sys.intern(entry.version))
    for _, _, sample in entry.samples:
        force_setattr(sample, "device", sys.intern(sample.device))
    return entry


def _length(told: ToldCase) -> int:
    """What is remembered of a page: its words and pictures, as texts."""
    return len(repr(told.values))


def _size(part: ReadPart) -> int:
    """What a part takes in memory once it is read, with its digest; measured in tests."""
    return 2 * len(part.body.encode("utf-8", "surrogatepass")) + 300
