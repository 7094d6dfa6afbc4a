"""What a site's data would become: coverage per input, unmapped codes and orders by volume, unit problems (R-D05)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from fhir_mappings import bulk, mapping_counts
from fhir_mappings.mapping_counts import Counts, Keys, Person, Site
from fhir_mappings.procedures import GROUPS

Counted = tuple[Keys, int]


class MappingReport(Struct, frozen=True, kw_only=True):
    """Counts only: no identifier, no value, no text of a patient.

    `coverage`: (input, status, reason) and in how many patients. `present`:
    (yes-or-no input,) and of how many it holds. `unmapped`: (resource type, system, code) that no
    map and no value set knows, text-only resources as ("Condition", "", ""). `units`: (input, unit as written,
    reason). `orders`: (outcome, system, code), the outcome a procedure group or why there is none. `searches`:
    (prefetch key, why it failed or that it was cut short) and for how many patients.
    """

    patients: int
    unreadable_patients: int
    coverage: tuple[Counted, ...]
    present: tuple[Counted, ...]
    unmapped: tuple[Counted, ...]
    units: tuple[Counted, ...]
    orders: tuple[Counted, ...]
    set_aside: tuple[Counted, ...]
    searches: tuple[Counted, ...] = ()

    @property
    def order_coverage(self) -> float | None:
        """The part of the possible operations that is mapped, by volume; None without any. The gate is 0.95."""
        mapped = sum(count for (outcome, *_), count in self.orders if outcome in GROUPS)
        surgical = sum(count for (outcome, *_), count in self.orders if outcome not in ("not-surgical", "out-of-scope"))
        return mapped / surgical if surgical else None


def of_export(directory: Path) -> Iterable[Person]:
    """The patients of a Bulk Data export, a part of them in memory at a time."""
    for patient_id, resources in bulk.patients(directory):
        yield mapping_counts.of_resources(patient_id, resources)


def report(people: Iterable[Person], site: Site, *, progress: Callable[[int], None] = lambda _: None) -> MappingReport:
    """What these people's data would become; `progress` is told how many of them are done."""
    counts = Counts()
    for done, person in enumerate(people, start=1):
        mapping_counts.count(counts, person, site)
        progress(done)
    return of_counts(counts)


def of_counts(counts: Counts) -> MappingReport:
    """The report that counts amount to, wherever they were counted."""
    return MappingReport(
        patients=counts.patients,
        unreadable_patients=counts.unreadable,
        coverage=_sorted(counts.coverage),
        present=_sorted(counts.present),
        unmapped=_sorted(counts.unmapped),
        units=_sorted(counts.units),
        orders=_sorted(counts.orders),
        set_aside=_sorted(counts.set_aside),
        searches=_sorted(counts.searches),
    )


def _sorted(counter: Counter[Keys]) -> tuple[Counted, ...]:
    """The most frequent first; equals in the order of their names."""
    return tuple(sorted(counter.items(), key=lambda pair: (-pair[1], pair[0])))


def statuses(found: MappingReport) -> Mapping[str, Counter[str]]:
    """Per input, in how many patients it ends in which status."""
    by_input: dict[str, Counter[str]] = {}
    for (name, status, _), count in found.coverage:
        by_input.setdefault(name, Counter())[status] += count
    return by_input
