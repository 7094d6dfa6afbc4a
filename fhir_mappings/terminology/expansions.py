"""A site's own expansions of value sets: what its terminology server says they hold, added to what is shipped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from fhir_mappings.terminology.code_systems import CONCEPT, canonical, normalised
from fhir_mappings.terminology.exclusions import overlaps
from fhir_mappings.terminology.value_sets import CodeRule, ValueSet, ValueSetError, ValueSets

SITE = "site"  # the trust mark of a code that a site's terminology server gave


class Expansion(Struct, frozen=True):
    """The codes of one value set as a terminology server gave them; `version` is the server's, "" if it told none."""

    name: str
    version: str
    timestamp: str
    rules: tuple[CodeRule, ...]

    @property
    def systems(self) -> frozenset[str]:
        """The code systems of which it holds codes."""
        return frozenset(rule.system for rule in self.rules)


def read_expansion(name: str, pages: Sequence[Mapping[str, Any]]) -> Expansion:
    """The answer of `$expand` for the value set `name`, in one page or several.

    Raises ValueSetError where it is no expansion, is empty, or holds fewer codes than it says that there are.
    https://hl7.org/fhir/R4/valueset-operation-expand.html
    """
    expansions = [page.get("expansion") for page in pages]
    if not expansions or not all(isinstance(one, dict) for one in expansions):
        raise ValueSetError(f"{name}: the answer is no expansion")
    whole = [one for one in expansions if isinstance(one, dict)]
    rules = tuple(dict.fromkeys(rule for one in whole for rule in _contained(one.get("contains", ()))))
    if not rules:
        raise ValueSetError(f"{name}: the expansion is empty")
    listed = len({pair for one in whole for pair in _listed(one.get("contains", ()))})
    total = int(whole[0].get("total", 0))
    if listed < total:
        raise ValueSetError(f"{name}: the expansion holds {listed} of {total} codes")
    return Expansion(name, str(pages[0].get("version", "")), str(whole[0].get("timestamp", "")), rules)


def applied(
    sets: ValueSets, expansions: Iterable[Expansion], *, systems: frozenset[str] = frozenset(), replaces: bool = False
) -> ValueSets:
    """These sets with the codes of each expansion added to the set of its name, or in their place (`replaces`).

    `systems`: only the codes of these code systems are taken; none: all of them. Raises ValueSetError for a set that
    does not exist, where nothing is taken, for a code system of a set that would silently be lost, for a code that a
    shipped rule keeps out of its set, and where a code then is in two sets that exclude each other.
    """
    found = dict(sets.by_id)
    change = _replaced if replaces else _added
    for expansion in expansions:
        if expansion.name not in found:
            raise ValueSetError(f"{expansion.name}: there is no such value set")
        found[expansion.name] = change(found[expansion.name], expansion, frozenset(map(canonical, systems)))
    changed = ValueSets(found.values(), sets.reviewed)
    if shared := overlaps(changed):
        one, other, code = shared[0]
        raise ValueSetError(f"{one}: the code {code} would also be in {other}, which excludes it")
    return changed


def _taken(shipped: ValueSet, expansion: Expansion, systems: frozenset[str]) -> tuple[CodeRule, ...]:
    taken = tuple(rule for rule in expansion.rules if not systems or rule.system in systems)
    if not taken:
        raise ValueSetError(f"{shipped.id}: the expansion has no code of {', '.join(sorted(systems))}")
    return taken


def _added(shipped: ValueSet, expansion: Expansion, systems: frozenset[str]) -> ValueSet:
    taken = _taken(shipped, expansion, systems)
    for rule in taken:
        if shipped.keeps_out(rule.system, rule.value):
            raise ValueSetError(f"{shipped.id}: the shipped set keeps the code {rule.value} out; replace it to have it")
    version = f"{shipped.version} and {expansion.version or expansion.timestamp or 'the site'}"
    return ValueSet(shipped.id, shipped.title, version, shipped.includes + taken, shipped.excludes)


def reviewed(sets: ValueSets, expansion: Expansion, *, systems: frozenset[str] = frozenset()) -> ValueSets:
    """These sets, where the codes of the expansion count as reviewed and of no idea, besides those that are shipped.

    `systems`: only the codes of these code systems; none: all. Raises ValueSetError where there is none, and for a
    code that is in a set as well: a list that holds one idea may hold more of it that no set lists.
    """
    wanted = frozenset(map(canonical, systems))
    pairs = frozenset((rule.system, rule.value) for rule in expansion.rules if not wanted or rule.system in wanted)
    if not pairs:
        raise ValueSetError(f"{expansion.name}: the expansion has no code of {', '.join(sorted(wanted))}")
    for system, code in sorted(pairs):
        if ideas := sets.containing(system, code):
            raise ValueSetError(f"{expansion.name}: the code {code} is also in {ideas[0]}, so it is not of no idea")
    return ValueSets(sets.by_id.values(), pairs)


def _replaced(shipped: ValueSet, expansion: Expansion, systems: frozenset[str]) -> ValueSet:
    own = {rule.system for rule in shipped.includes} - {CONCEPT}
    lost = (own & systems if systems else own) - expansion.systems
    if lost:
        raise ValueSetError(
            f"{shipped.id}: the expansion has no code of {', '.join(sorted(lost))}, which the shipped set has; "
            "name the code systems that it is to replace"
        )
    taken = _taken(shipped, expansion, systems)
    gone = {rule.system for rule in taken} | (own if not systems else set())
    kept = tuple(rule for rule in shipped.includes if rule.system not in gone)
    excludes = tuple(rule for rule in shipped.excludes if rule.system not in gone)
    return ValueSet(shipped.id, shipped.title, expansion.version or expansion.timestamp, kept + taken, excludes)


def _contained(entries: Iterable[Mapping[str, Any]]) -> Iterator[CodeRule]:
    for entry in entries:
        if not entry.get("abstract") and not entry.get("inactive") and entry.get("code"):
            system = canonical(str(entry.get("system", "")))
            yield CodeRule(system, "code", normalised(system, str(entry["code"])), SITE)
        yield from _contained(entry.get("contains", ()))


def _listed(entries: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Every entry, nested and unusable ones included: what `expansion.total` counts."""
    for entry in entries:
        yield str(entry.get("system")), str(entry.get("code"))
        yield from _listed(entry.get("contains", ()))
