"""What a site's data would become: coverage per input, unmapped codes and orders by volume, unit problems (R-D05)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from fhir_mappings.features.feature_catalogue import FEATURES
from fhir_mappings.report import bulk, mapping_counts
from fhir_mappings.report.bulk_files import BROKEN, NO_PATIENT, Lost
from fhir_mappings.report.mapping_counts import SECTIONS, CountedPerson, Counts, Keys, MappingSite
from fhir_mappings.results.feature import FeatureDefinition
from fhir_mappings.terminology.procedure_groups import GROUPS

Counted = tuple[Keys, int]


class MappingReport(Struct, frozen=True, kw_only=True):
    """Counts only: no identifier, no value, no text of a patient.

    `coverage`: (input, status, reason) and in how many patients. `present`: (yes-or-no input,) and of how many it
    holds. `entries`: (list, "read", "understood", "not-understood" or why not). `per_person`: (list, how many entries
    were not understood) and of how many people. `systems`: (list, why, code system) of entries not understood.
    `unmapped`: (list, system, code) that is not understood, entries of words only as ("conditions", "", "").
    `units`: (input, unit as written, reason). `orders`: (outcome, system, code), the outcome a procedure group or why
    there is none. `searches`: (prefetch key, why it failed or that it was cut short) and for how many patients.
    `lost`: (what could not be read, resource type). `people`: (section, *key) and of how many people that is;
    ("whole", list) of how many a list was seen and understood whole, ("whole", "") of how many every list.
    `inputs`: every input by its name, those that the site added among them.
    """

    patients: int
    unreadable_patients: int
    coverage: tuple[Counted, ...]
    present: tuple[Counted, ...]
    entries: tuple[Counted, ...]
    per_person: tuple[Counted, ...]
    systems: tuple[Counted, ...]
    unmapped: tuple[Counted, ...]
    units: tuple[Counted, ...]
    orders: tuple[Counted, ...]
    set_aside: tuple[Counted, ...]
    searches: tuple[Counted, ...]
    lost: tuple[Counted, ...]
    people: tuple[Counted, ...]
    inputs: Mapping[str, FeatureDefinition]

    @property
    def order_coverage(self) -> float | None:
        """The part of the possible operations that is mapped, by volume; None without any. The gate is 0.95."""
        mapped = sum(count for (outcome, *_), count in self.orders if outcome in GROUPS)
        surgical = sum(count for (outcome, *_), count in self.orders if outcome not in ("not-surgical", "out-of-scope"))
        return mapped / surgical if surgical else None

    @property
    def people_without_patient(self) -> int:
        """How many people the data name of whom there is no Patient resource."""
        return dict(self.lost).get((NO_PATIENT,), 0)

    @property
    def broken(self) -> dict[str, int]:
        """What of the data is broken, lines and files, by its kind."""
        return {keys[0]: number for keys, number in self.lost if keys[0] in BROKEN}

    @property
    def nothing_read(self) -> bool:
        """Whether there is no patient of whom anything is known."""
        without = sum(number for (key, why), number in self.searches if key == "patient" and why != "truncated")
        return self.patients - without <= 0


def of_export(export: Path, lost: Lost) -> Iterable[CountedPerson]:
    """The patients of an export, a part of them in memory at a time; in `lost` what of it could not be read."""
    for patient_id, resources in bulk.patients(export, lost=lost):
        yield mapping_counts.of_resources(patient_id, resources)


def report(
    people: Iterable[CountedPerson],
    site: MappingSite,
    *,
    lost: Lost | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> MappingReport:
    """What these people's data would become; `lost` is read after them, `progress` is told how many are done."""
    counts = Counts()
    for done, person in enumerate(people, start=1):
        mapping_counts.count(counts, person, site)
        progress(done)
    counts.lost.update(lost or {})
    return of_counts(counts, site)


def of_counts(counts: Counts, site: MappingSite) -> MappingReport:
    """The report that counts of this site's data amount to, wherever they were counted."""
    return MappingReport(
        patients=counts.patients,
        unreadable_patients=counts.unreadable,
        people=_sorted(counts.people),
        inputs=FEATURES | {one.rule.name: one.definition for one in site.rules.inputs},
        **{section: _sorted(getattr(counts, section)) for section in SECTIONS},
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
