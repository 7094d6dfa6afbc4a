"""What of an export can change no row, and is dropped before it is sorted by patient: counted, by type."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Raw, Struct, field

from cds_service.replay.chart import KEY_OF
from cds_service.replay.known_at import ORDER_TYPES
from cds_service.tenant_runtime import TenantRuntime
from fhir_mappings.fhir.elements import ABSENT
from fhir_mappings.fhir.resources import UNREADABLE_JSON
from fhir_mappings.report.bulk_files import Head
from fhir_mappings.results import observations
from fhir_mappings.results.result_inputs import RECORDED
from fhir_mappings.terminology.concept_maps import Vocabulary, vocabulary

READ = frozenset(KEY_OF) | frozenset(ORDER_TYPES)
DROPPED = "dropped"


class _Result(Struct, frozen=True, gc=False):
    """What of a result says whether it is worth keeping: its code, and what may hold or name another."""

    code: Raw = ABSENT
    component: Raw = ABSENT
    contained: Raw = ABSENT
    has_member: Raw = field(default=ABSENT, name="hasMember")
    focus: Raw = ABSENT


_results = msgspec.json.Decoder(_Result)


class Sieve:
    """Tells what is worth keeping for one tenant.

    Dropped are types that no input is read from, and results whose code is of a system that is read and of no value
    set, and which hold or name no other. A result under a code that nobody knows stays: it is told as not understood,
    in each row as of its instant. `all_results`: none is dropped, for panels name some of them (bulk.names_members),
    and one that did not come may be of any input.
    """

    def __init__(self, site: TenantRuntime, *, all_results: bool = False) -> None:
        self._all_results = all_results
        self._words: Vocabulary = vocabulary(site.value_sets, site.maps)
        self._names = RECORDED + tuple(one.rule.idea for one in site.rules.inputs)

    def keeps(self, head: Head, raw: Raw) -> bool:
        """Whether the resource could change a row."""
        if head.resource_type != "Observation":
            return head.resource_type in READ
        if self._all_results:
            return True
        try:
            result = _results.decode(raw)
            holds = result.component or result.contained or result.has_member or result.focus
            return bool(holds) or not observations.is_of_no_input(bytes(result.code), self._words, self._names)
        except UNREADABLE_JSON:
            return True


def types(names: Iterable[str]) -> frozenset[str]:
    """Of these resource types those that are read: what the export provides."""
    return frozenset(names) & READ
