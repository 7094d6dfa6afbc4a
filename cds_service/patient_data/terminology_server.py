"""What a site's terminology server says its value sets hold: asked once at the start, inside one deadline."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec

from cds_service.tenants.tenant import Tenant, Terminology
from cds_service.trust import egress
from cds_service.trust.outbound import Door, OutboundError
from cds_service.trust.secret_text import SUFFIX, from_file
from fhir_mappings.terminology import expansions, reviewed_codes
from fhir_mappings.terminology.code_systems import SNOMED_CT
from fhir_mappings.terminology.value_sets import ValueSetError, ValueSets

PAGE = 1000  # as many as HAPI expands of a set that it has not prepared (pre-expanded) yet
MAX_PAGES = 100
MAX_ANSWER_BYTES = 20 * 1024 * 1024
_AT_ONCE = 4
_WHY_NOT = {
    "too-late": "the terminology server did not answer in time",
    "too-large": "the terminology server's answer was too long",
    "unreadable": "the terminology server's answer is no HTTP",
}


class TerminologyError(Exception):
    """A value set that a tenant wants from its terminology server cannot be had; the message names it."""


# The name in `value_sets` under which a site gives its own list of codes that belong to no idea (DEC-37).
REVIEWED = "reviewed"


class ValueSetInForce(msgspec.Struct, frozen=True):
    """Which version of a value set a tenant's answers rest on: the site's, or the shipped one and why.

    `asked`: when the terminology server was asked, in UTC.
    """

    value_set: str
    version: str
    codes: int
    kept_because: str = ""
    asked: datetime | None = None

    @property
    def told(self) -> str:
        """In a few words, for `cds-service check` and the log."""
        if self.kept_because:
            return f"{self.value_set} as shipped {self.version} ({self.kept_because})"
        return f"{self.value_set} {self.version or 'without a version'} with {self.codes} codes of the site"


def in_force(tenant: Tenant, shipped: ValueSets) -> tuple[ValueSets, tuple[ValueSetInForce, ...]]:
    """The value sets of a tenant, and for each that it wants replaced, what it got.

    Raises TerminologyError naming the set; where the tenant says `keep-shipped`, the shipped set is kept and told.
    """
    asked = tenant.terminology
    if asked is None:
        return shipped, ()
    for name in asked.value_sets:
        if name != REVIEWED and name not in shipped.by_id:
            raise TerminologyError(f"tenant {tenant.id}: terminology: there is no value set {name}")
    sets, told = shipped, []
    now = datetime.now(UTC).replace(microsecond=0)
    answers = _answers(tenant, asked)
    for name in sorted(answers, key=lambda one: one == REVIEWED):  # last: no code of it may be in a set in force
        try:
            expansion = expansions.read_expansion(name, _pages(name, answers[name]))
            sets, codes = _with(sets, expansion, asked)
        except ValueSetError as error:
            if asked.on_failure == "stop":
                raise TerminologyError(f"tenant {tenant.id}: terminology: {error}") from error
            version = shipped.by_id[name].version if name in shipped.by_id else reviewed_codes.VERSION
            told.append(ValueSetInForce(name, version, 0, str(error).removeprefix(f"{name}: "), now))
        else:
            told.append(ValueSetInForce(name, expansion.version or expansion.timestamp, codes, asked=now))
    return sets, tuple(told)


def _with(sets: ValueSets, expansion: expansions.Expansion, asked: Terminology) -> tuple[ValueSets, int]:
    """The sets with the expansion in force, and how many codes of the site it holds."""
    systems = frozenset(asked.systems)
    if expansion.name == REVIEWED:
        added = expansions.reviewed(sets, expansion, systems=systems)
        return added, len(added.reviewed)
    changed = expansions.applied(sets, [expansion], systems=systems, replaces=asked.replaces)
    return changed, sum(rule.trust == expansions.SITE for rule in changed.by_id[expansion.name].includes)


def snomed_told(sets: ValueSets, told: tuple[ValueSetInForce, ...]) -> str:
    """Which way SNOMED CT is read by these sets, since when, and what that means for the estimates."""
    listed, reviewed = _snomed_counts(sets)
    readers = "; ".join(dict.fromkeys(reviewed_codes.READERS.split("; ")))  # each file names its own
    return (
        f"SNOMED CT by {_way(sets, told)}: {listed:,} codes listed, {reviewed:,} reviewed as of no idea "
        f"({readers}); any other SNOMED CT code counts as not understood, and estimates become ranges"
    )


@lru_cache(maxsize=8)
def _snomed_counts(sets: ValueSets) -> tuple[int, int]:
    """Codes listed, and codes reviewed as of no idea: counted once for all tenants that share the sets."""
    listed = {rule.value for one in sets.by_id.values() for rule in one.includes if rule.system == SNOMED_CT}
    reviewed = {code for system, code in reviewed_codes.shipped(sets) | sets.reviewed if system == SNOMED_CT}
    return len(listed), len(reviewed)


def _way(sets: ValueSets, told: tuple[ValueSetInForce, ...]) -> str:
    of_site = [one for one in told if not one.kept_because and _holds_snomed(sets, one.value_set)]
    if not of_site:
        return f"the shipped short lists only{', nothing of it from the terminology server' if told else ''}"
    kept = ", ".join([*(one.value_set for one in told if one not in of_site), "the rest"])
    since = f" since {of_site[0].asked:%Y-%m-%dT%H:%MZ}" if of_site[0].asked else ""
    names = ", ".join(one.value_set for one in of_site)
    return f"the site's terminology server{since} for {names}, the shipped lists for {kept}"


def _holds_snomed(sets: ValueSets, name: str) -> bool:
    """Whether the set `name` in force holds SNOMED CT codes of the site."""
    if name == REVIEWED:
        return any(system == SNOMED_CT for system, _ in sets.reviewed)
    return any(rule.trust == expansions.SITE and rule.system == SNOMED_CT for rule in sets.by_id[name].includes)


Pages = list[Mapping[str, Any]]


def _pages(name: str, answer: Pages | str) -> Pages:
    if isinstance(answer, str):
        raise ValueSetError(f"{name}: {answer}")
    return answer


def _answers(tenant: Tenant, asked: Terminology) -> dict[str, Pages | str]:
    """Per value set the pages of its expansion, or why there are none; all asked at once, within the deadline."""
    until = time.monotonic() + asked.deadline_s
    door = egress.terminology_door(tenant, asked.base_url)
    threads = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="terminology")
    try:
        running = {name: threads.submit(_expand, door, asked, url, until) for name, url in asked.value_sets.items()}
        return {name: _wait(one, until) for name, one in running.items()}
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        door.close()


def _wait(running: Future[Pages | str], until: float) -> Pages | str:
    try:
        return running.result(timeout=max(0.0, until - time.monotonic()))
    except FutureTimeout:
        return "the terminology server did not answer in time"


def _expand(door: Door, asked: Terminology, url: str, until: float) -> Pages | str:
    """Every page of `$expand`, until one is not full: HAPI pages without telling how many codes there are in all.

    A server that pays no heed to `offset` says the same again, and is not asked a third time.
    """
    pages: Pages = []
    for number in range(MAX_PAGES):
        query = f"url={quote(url, safe='')}&offset={number * PAGE}&count={PAGE}"
        page = _get(door, asked, f"{asked.base_url.rstrip('/')}/ValueSet/$expand?{query}", until)
        if isinstance(page, str):
            return page
        contained = _contained(page)
        if pages and (not contained or contained == _contained(pages[-1])):
            return pages
        pages.append(page)
        if len(contained) != PAGE:
            return pages
    return f"the expansion has more than {MAX_PAGES * PAGE:,} codes"


def _contained(page: Mapping[str, Any]) -> list[Any]:
    expansion = page.get("expansion")
    return list(expansion.get("contains", ())) if isinstance(expansion, dict) else []


def _get(door: Door, asked: Terminology, url: str, until: float) -> Mapping[str, Any] | str:
    headers = {"Accept": "application/fhir+json"}
    if variable := asked.token_variable:
        try:
            token = from_file(variable) or os.environ.get(variable, "")
        except ValueError as error:
            return str(error)
        if not token:
            return f"its token stands neither in {variable} nor in the file that {variable}{SUFFIX} names"
        headers["Authorization"] = f"Bearer {token}"
    try:
        reply = door.get(url, until=until, at_most_bytes=MAX_ANSWER_BYTES, headers=headers)
        if reply.status != HTTPStatus.OK:
            return f"the terminology server answered {reply.status}"
        content = msgspec.json.decode(reply.body)
    except OutboundError as error:
        return _WHY_NOT.get(error.why, "the terminology server could not be reached")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "the terminology server's answer is no JSON"
    return content if isinstance(content, dict) else "the terminology server's answer is no resource"
