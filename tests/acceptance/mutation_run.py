"""Cases made from a seed, each sent with its data and again with those left to a FHIR server; what is wrong of each."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

from flask.testing import FlaskClient

from tests.acceptance.messy_cases import lent
from tests.acceptance.mutation_checks import Answer, differences, faults_of, statuses
from tests.acceptance.mutation_pool import LISTS
from tests.acceptance.mutations_invalid import (
    NUMBER_TOO_LARGE,
    Done,
    Target,
    an_entry,
    an_observation,
    another_patient,
    anywhere,
    structural,
    targets,
)
from tests.acceptance.mutations_irrelevant import BESIDE, IRRELEVANT
from tests.cds_service.patient_data.fhir_server import serving

Json = dict[str, Any]
_KEY_OF = {kind: key for key, kind in LISTS.items() if kind != "Observation"}
_CREATININE = "2160-0"  # of the codes that only `labs` asks for
_ENTRIES = ("Condition", "MedicationRequest", "Procedure")
_EMPTY: Json = {"resourceType": "Bundle", "type": "searchset"}


@dataclass
class Case:
    """A request before and after 1 to 4 changes. `target` is None where all of them are irrelevant."""

    person: str
    body: Json
    mutated: Json
    done: list[Done]
    target: Target | None = None

    @property
    def whole(self) -> bool:
        return any(one.whole for one in self.done)

    def without(self) -> Json:
        """The request from which the target was taken out as if it had never been recorded."""
        body = copy.deepcopy(self.body)
        if self.target is not None:
            self.target.remove(body["prefetch"], whole=self.whole)
        return body


def a_case(seed: int, number: int, people: dict[str, Json]) -> Case:
    """Case `number` of a seed: the same whenever it is made."""
    chance = Random(f"{seed}-{number}")
    person = chance.choice(list(people))
    mutated = copy.deepcopy(people[person])
    if number % 3 == 0:
        names = chance.sample(list(IRRELEVANT), k=chance.randrange(1, 5))
        for name in names:
            IRRELEVANT[name](chance, mutated["prefetch"])
        return Case(person, people[person], mutated, [Done(name) for name in names])
    for name in chance.sample(BESIDE, k=chance.choice([0, 0, 1, 2])):
        IRRELEVANT[name](chance, mutated["prefetch"])
    before = copy.deepcopy(mutated)
    found = targets(mutated["prefetch"])
    key = chance.choice(sorted({one.key for one in found}))  # the lists weigh alike, however long they are
    target = chance.choice([one for one in found if one.key == key])
    if number % 50 == 1:
        done = [another_patient(target.of(mutated["prefetch"]))]
    elif number % 3 == 1 and target.place is not None:
        done = [structural(chance, mutated["prefetch"], target)]
    else:
        done = list(_invalid(chance, target.of(mutated["prefetch"])))
    return Case(person, before, mutated, done, target)


def _invalid(chance: Random, resource: Json) -> Iterator[Done]:
    for _ in range(chance.choice([1, 1, 2, 3, 4])):
        if resource.get("resourceType") == "Observation" and chance.random() < 0.7:
            yield an_observation(chance, resource)
            return
        if resource.get("resourceType") in _ENTRIES and chance.random() < 0.6:
            if (done := an_entry(chance, resource)) is not None:
                yield done
        elif resource:
            yield anywhere(chance, resource)


def encoded(content: Any) -> bytes:
    """As JSON; with a number in it that JSON can write and no computer can hold."""
    return json.dumps(content).replace(f'"{NUMBER_TOO_LARGE}"', "1e309").encode()


@dataclass
class Server:
    """Holds what the request under way left out; a list in pages of `size` where its Bundle can be cut so."""

    base: str = ""
    prefetch: Json = field(default_factory=dict)
    size: int = 0

    def respond(self, path: str) -> tuple[int, Any]:
        url = urlsplit(path)
        kind, _, name = url.path.removeprefix("/fhir/").partition("/")
        if kind == "Patient":
            return 200, encoded(self.prefetch.get("patient"))
        if name:
            return 404, {}
        asked = parse_qs(url.query)
        key = _KEY_OF.get(kind) or ("labs" if _CREATININE in unquote(url.query) else "observations")
        found = self.prefetch.get("encounter" if kind == "Encounter" else key, _EMPTY)
        return 200, encoded(self._page(found, kind, key, int(asked.get("from", ["0"])[0])))

    def _page(self, found: Any, kind: str, key: str, start: int) -> Any:
        if not self.size or not isinstance(found, dict) or not isinstance(found.get("entry"), list):
            return found
        if len(found["entry"]) > 8 * self.size or any(one.get("relation") == "next" for one in found.get("link", ())):
            return found
        end = start + self.size
        more = [{"relation": "next", "url": f"{self.base}/{kind}?{'code=2160-0&' if key == 'labs' else ''}from={end}"}]
        link = [*found.get("link", ()), *(more if end < len(found["entry"]) else ())]
        return found | {"entry": found["entry"][start:end], "link": link}


@contextmanager
def serving_cases() -> Iterator[Server]:
    """A FHIR server on the loopback interface for one case after the other."""
    held = Server()
    with serving(held.respond) as server:
        held.base = server.base
        yield held


class Run:
    """Sends cases and remembers the answers to what was not changed."""

    def __init__(self, http: FlaskClient, server: Server, people: dict[str, Json]) -> None:
        self.http, self.server, self.people = http, server, people
        self.sent = 0
        self._plain: dict[str, Answer] = {}
        self._chance = Random(0)

    def post(self, body: Json) -> Answer:
        self.sent += 1
        fresh = body | {"hookInstance": str(UUID(int=self._chance.getrandbits(128)))}
        response = self.http.post("/cds-services/surgical-risk", data=encoded(fresh), content_type="application/json")
        return Answer(response.status_code, response.get_json(silent=True) or {})

    def plain(self, person: str) -> Answer:
        if person not in self._plain:
            self._plain[person] = self.post(self.people[person])
        return self._plain[person]

    def fetched(self, case: Case, chance: Random) -> Answer:
        """The same request, all or some of whose data are left to the server."""
        prefetch = case.mutated["prefetch"]
        fetchable = [key for key in prefetch if _is_found(key, case.body["prefetch"][key])]
        left_out = fetchable if chance.random() < 0.5 else chance.sample(fetchable, k=chance.randrange(1, 4))
        self.server.prefetch = prefetch
        self.server.size = chance.choice([0, 1, 2, 5]) if case.target is None else 0
        kept = {key: value for key, value in prefetch.items() if key not in left_out}
        return self.post(case.mutated | {"prefetch": kept} | lent(self.server.base))

    def faults(self, seed: int, number: int) -> list[str]:
        """What is wrong about one case, each as a line that says how to make it again."""
        case = a_case(seed, number, self.people)
        plain = self.plain(case.person)
        now = self.post(case.mutated)
        found = [f"prefetched: {one}" for one in self._faults(case, plain, now)]
        for _ in range(3):  # a machine that is busy may let a search come too late: asked again
            fetched = self.fetched(case, Random(f"{seed}-{number}"))
            other = [f"fetched: {one}" for one in self._fetched_faults(case, plain, now, fetched)]
            if not other:
                break
        done = ", ".join(f"{one.name} {'.'.join(map(str, one.path))}".strip() for one in case.done)
        where = f"{case.target.key}[{case.target.place}]" if case.target else ""
        told = f"{seed}/{number} {case.person} {where} ({done}): "
        return [told + "; ".join((found + other)[:4])] if found or other else []

    def _faults(self, case: Case, plain: Answer, now: Answer) -> Iterator[str]:
        if case.target is None:
            yield from self._irrelevant(case, plain, now)
            return
        yield from statuses(case.target, case.done, now, is_json=not _is_refused(case.mutated))
        if now.result and plain.result:
            yield from faults_of(case.target, case.done, plain, self.post(case.without()), now, case.body)
        elif now.status == 200 and plain.result and case.target.key not in ("patient", "encounter"):
            yield f"silence in place of a card: {now.silence}"

    @staticmethod
    def _irrelevant(case: Case, plain: Answer, now: Answer) -> Iterator[str]:
        """Each code of an entry that is not understood may name more: there another coding widens a range (DEC-38).

        So does an entry that cannot be read and came twice, changed once: it may be two.
        """
        names = {one.name for one in case.done}
        widened = "notUnderstood" in plain.result and ("another coding" in names or names > {"an entry twice"})
        yield from differences(plain, now, figures=not widened, within=0.0101 if "other units" in names else 2e-6)

    def _fetched_faults(self, case: Case, plain: Answer, now: Answer, fetched: Answer) -> Iterator[str]:
        if case.target is None:
            yield from self._irrelevant(case, plain, fetched)
        elif now.status == fetched.status == 200 and _is_same_either_way(case):
            # What was sent under the key of another type was not provided, and what a server answers so is no answer.
            other = " reason not-provided became fetch-failed"
            yield from (one for one in differences(now, fetched, strict=True) if not one.endswith(other))
        else:
            yield from self._faults(case, plain, fetched)


def _is_found(key: str, content: Any) -> bool:
    """Whether a server would answer so: a client alone may send `null`, or warnings in place of a list."""
    kind = content.get("resourceType") if isinstance(content, dict) else None
    return (kind == "Bundle" and key in LISTS) or (kind == "Patient" and key == "patient")


def _is_refused(body: Json) -> bool:
    """Whether the body holds what no sent body may: a number too large, NUL, half a pair of surrogates."""
    text = json.dumps(body)
    return any(one in text for one in (NUMBER_TOO_LARGE, "\\u0000", "\\ud800"))


def _is_same_either_way(case: Case) -> bool:
    """Whether a list says the same sent and fetched: `null` and single resources do not, nor a number too large."""
    assert case.target is not None
    content = case.mutated["prefetch"][case.target.key]
    kind = content.get("resourceType") if isinstance(content, dict) else None
    wanted = "Patient" if case.target.place is None else "Bundle"
    return kind == wanted and NUMBER_TOO_LARGE not in json.dumps(content)


def measured(run: Run, seed: int, cases: int, *, seconds: float) -> tuple[list[str], int, float]:
    """The faults of so many cases of a seed, how many were done, and how long it took; stops when time is up."""
    began, found, done = time.monotonic(), [], 0
    for number in range(cases):
        if time.monotonic() - began > seconds:
            break
        found += run.faults(seed, number)
        done += 1
    return found, done, time.monotonic() - began
