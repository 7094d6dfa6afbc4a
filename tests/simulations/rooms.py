"""Operating rooms that send a value of each signal a second to a real service, browsers that look, orders beside."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from tests.acceptance.requests import a_request
from tests.simulations.rooms_service import TENANT, Line, Service

SERVICE, POSTED = "/cds-services/surgical-risk", f"/during/{TENANT}/observations"
RENEW_S = 4.0  # at most, while no page says it
# LOINC code, UCUM unit and usual value of each signal; the heart rate counts the seconds (see `rate_of`).
SIGNALS = (
    ("8867-4", "/min", 0.0), ("76214-6", "mm[Hg]", 80.0), ("76215-3", "mm[Hg]", 120.0),
    ("76213-8", "mm[Hg]", 60.0), ("59408-5", "%", 97.0), ("8310-5", "Cel", 36.5),
)  # fmt: skip
_LOWEST, _TURN = 50, 100
_NOW = re.compile(r'id="s-heart-rate".{0,200}?<strong>(\d+)</strong>', re.DOTALL)
_RENEWS = re.compile(r'http-equiv="refresh" content="(\d+)"')
_LATE = "Other pages are being made"


class Measured(msgspec.Struct):
    """What one run told: seconds, counts, megabytes, and seconds of CPU of all processes of the service.

    `to_page_s`: from when a value is sent until a page that is asked for shows it; `to_screen_s`: the same with the
    wait for the next renewal. `behind`: pages without a value that was acknowledged before they were asked for.
    Orders: alone, beside the rooms, and beside them once a worker was killed.
    """

    rooms: int
    seconds: float
    acknowledged: int = 0
    lost: int = 0
    unsent: int = 0
    sent_s: list[float] = []
    to_page_s: list[float] = []
    to_screen_s: list[float] = []
    page_s: list[float] = []
    behind: int = 0
    late: int = 0
    failed_pages: int = 0
    order_s: list[float] = []
    order_alone_s: list[float] = []
    order_killed_s: list[float] = []
    memory_mb: tuple[float, float] = (0.0, 0.0)
    cpu_s: float = 0.0
    killed: bool = False


def rate_of(second: int) -> int:
    """The heart rate that is sent in a second: no two of a hundred seconds have the same."""
    return _LOWEST + second % _TURN


def percentile(values: list[float], share: float) -> float:
    """The value below which this share lies; 0 where there is none."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0.0


class Room:
    """One operation: what was sent and acknowledged of it, by second."""

    def __init__(self, at: Service, number: int, begin: float) -> None:
        self.at, self.name, self.begin = at, f"room-{number}", begin
        self.sent: dict[int, float] = {}
        self.acknowledged: dict[int, float] = {}
        self.last = -1
        self.cookie = at.cookie(self.name)

    def resources(self, second: int) -> Iterator[dict[str, Any]]:
        """What is recorded in a second; with the first that the operation runs."""
        whose = {
            "subject": {"reference": f"Patient/{self.name}"},
            "encounter": {"reference": f"Encounter/e-{self.name}"},
        }
        if second == 0:
            period = {"start": _written(self.begin)}
            yield {"resourceType": "Procedure", "id": "op", "status": "in-progress", "performedPeriod": period, **whose}
        for code, unit, value in SIGNALS:
            told = value + second % 3 / 2 if value else rate_of(second)
            yield {
                "resourceType": "Observation", "id": f"{self.name}-{second}-{code}", "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
                "effectiveDateTime": _written(self.begin + second), "device": {"reference": "Device/monitor-1"},
                "valueQuantity": {"value": told, "unit": unit, "code": unit, "system": "http://unitsofmeasure.org"},
                **whose,
            }  # fmt: skip

    def begun(self, seconds: int) -> None:
        """What was recorded before, a minute a Bundle."""
        for first in range(0, seconds, 60):
            every = [one for second in range(first, min(first + 60, seconds)) for one in self.resources(second)]
            with contextlib.closing(Line(self.at.during)) as line:
                assert line.ask("POST", POSTED, _bundle(every), self.at.headers(POSTED))[0] == 200

    def send(self, first: int, end: int, measured: Measured) -> None:
        """A Bundle a second; one that is not acknowledged is sent again until it is."""
        with contextlib.closing(Line(self.at.during)) as line:
            for second in range(first, end):
                time.sleep(max(0.0, self.begin + second - time.time()))
                self._send(second, line, measured)

    def _send(self, second: int, line: Line, measured: Measured) -> None:
        body = _bundle(list(self.resources(second)))
        began = self.sent[second] = time.time()
        while line.ask("POST", POSTED, body, self.at.headers(POSTED))[0] != 200:
            if time.time() - began > 20:
                measured.unsent += 1
                return
            time.sleep(0.1)
        self.acknowledged[second] = time.time()
        self.last = second
        measured.sent_s.append(time.time() - began)

    def watch(self, until: float, measured: Measured) -> None:
        """A browser that renews its page as often as the page says."""
        renew_s = 1.0
        headers, path, shown = {"Cookie": self.cookie, "Accept": "text/html"}, "", -1
        with contextlib.closing(Line(self.at.during)) as line:
            while time.time() < until:
                began = time.time()
                if path:
                    before, (status, page) = self.last, line.ask("GET", path, None, headers)
                    if status == 0:  # whoever was at the other end is gone: a browser asks once more by itself
                        status, page = line.ask("GET", path, None, headers)
                    shown = self._looked(status, page.decode(), shown, before, began, measured)
                    renew_s = next((float(one) for one in _RENEWS.findall(page.decode())), renew_s)
                else:
                    listed = line.ask("GET", f"/during/{TENANT}", None, headers)[1].decode()
                    path = next(iter(re.findall(rf"/during/{TENANT}/[0-9a-f-]{{36}}", listed)), "")
                time.sleep(max(0.0, began + renew_s - time.time()))

    def _looked(self, status: int, page: str, shown: int, before: int, began: float, measured: Measured) -> int:
        """The last second that the browser has seen now."""
        now = time.time()
        measured.page_s.append(now - began)
        found = _NOW.search(page)
        if status != 200 or found is None:
            measured.failed_pages += status != 200
            return shown
        second = next((one for one in sorted(self.sent, reverse=True) if rate_of(one) == int(found[1])), -1)
        measured.late += _LATE in page
        measured.behind += second < before
        for one in (one for one in range(shown + 1, second + 1) if one in self.sent):
            waited = max(0.0, began - self.acknowledged.get(one, began))
            measured.to_screen_s.append(now - self.sent[one])
            measured.to_page_s.append(now - self.sent[one] - waited)
        return max(shown, second)


def _bundle(resources: list[dict[str, Any]]) -> bytes:
    return json.dumps(
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}
    ).encode()


def _written(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def order(at: Service, until: float, taken: list[float], *, pause_s: float = 0.1) -> None:
    """Orders one after the other; how long each answer took."""
    with contextlib.closing(Line(at.bind)) as line:
        while time.time() < until:
            body = json.dumps(a_request() | {"hookInstance": str(uuid.uuid4())}).encode()
            headers = at.headers(SERVICE)
            began = time.time()
            if line.ask("POST", SERVICE, body, headers)[0] == 200:
                taken.append(time.time() - began)
            time.sleep(pause_s)


def run(at: Service, rooms: int, seconds: int, *, past: int = 0, alone_s: float = 5.0, kill: bool = True) -> Measured:
    """So many rooms for so long, `past` seconds after they began, each with a browser; a worker is killed midway.

    Orders alone at first, then beside.
    """
    measured = Measured(rooms, seconds)
    order(at, time.time() + alone_s / 5, [])
    order(at, time.time() + alone_s, measured.order_alone_s)
    begin = time.time() + 0.5 + rooms * past / 1_000 - past
    every = [Room(at, number, begin + number / max(rooms, 1)) for number in range(rooms)]
    for one in every:
        one.begun(past)
    before, memory = at.cpu_s(), at.memory_mb()
    until = begin + past + seconds
    killed = until - seconds / 2

    def orders() -> None:
        order(at, killed, measured.order_s)
        order(at, until, measured.order_killed_s)

    works: list[Callable[[], None]] = [orders]
    works += [lambda one=one: one.send(past, past + seconds, measured) for one in every]  # type: ignore[misc]
    works += [lambda one=one: one.watch(until + RENEW_S, measured) for one in every]  # type: ignore[misc]
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    time.sleep(max(0.0, killed - time.time()))
    if kill:
        os.kill(at.a_worker(), signal.SIGKILL)
        measured.killed = True
    for thread in threads:
        thread.join()
    measured.cpu_s, measured.memory_mb = at.cpu_s() - before, (memory, at.memory_mb())
    measured.acknowledged = sum(len(one.acknowledged) for one in every) * len(SIGNALS)
    return measured
