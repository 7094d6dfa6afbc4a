"""Results of which nothing says of what they are: any input may stand under them, so none is told as never recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Raw

from fhir_mappings.fhir.elements import ABSENT, CodeableConcept, Coding
from fhir_mappings.fhir.resources import Observation, Resource, Valued
from fhir_mappings.results import unread_results
from fhir_mappings.results.measurement_rules import RULES
from fhir_mappings.results.result_time import written_time
from fhir_mappings.terminology.code_systems import LOINC
from fhir_mappings.terminology.concept_maps import Vocabulary
from fhir_mappings.terminology.listed_codes import is_loinc
from fhir_mappings.terminology.understanding import why_not_understood

_NOTHING = (b"", b"null", b"[]")
# Panels of which every part is of the blood pressure or of how it was taken: none of our inputs. https://loinc.org/85354-9
# (blood pressure panel with all children optional), https://loinc.org/55284-4 (systolic and diastolic).
_OF_BLOOD_PRESSURE = frozenset({"85354-9", "55284-4"})
# A laboratory result, a height or an ASA class is one value: what stands in it beside that is of something else. A
# scale has its items, an electrocardiogram its intervals, a saturation the oxygen that was given.
_OF_ONE_VALUE = {rule.idea for rule in RULES.values() if rule.name != "spo2"} | {"asa-class"}


def nameless_parts(observation: Observation, words: Vocabulary) -> Iterator[CodeableConcept]:
    """What a result and its parts are of, where that says nothing; what only holds others together has no result."""
    if observation.component:
        yield from _nameless([one.code for one in observation.component], observation.code, words)
    if not _is_grouping(observation) and is_nameless(observation.code, words):
        yield observation.code


def _nameless(parts: Iterable[CodeableConcept], of: CodeableConcept, words: Vocabulary) -> list[CodeableConcept]:
    """Those parts of a panel that say nothing; none where they are its own, as those of an electrocardiogram are."""
    if any(_is_closed(one, words) for one in of.coding):
        return []
    return [one for one in parts if is_nameless(one, words)]


def _is_closed(of: Coding, words: Vocabulary) -> bool:
    """Whether nothing but parts of its own stands in what has this code: of a scale, or of blood pressures."""
    if not _OF_ONE_VALUE.issuperset(words.ideas(of.system, of.code)):
        return True
    return bool(of.system) and words.maps.canonical(str(of.system)) == LOINC and of.code in _OF_BLOOD_PRESSURE


def unnamed(parts: Iterable[Raw | Resource], words: Vocabulary) -> list[str]:
    """The times, as written, of those results that were set aside, say nothing of what they are and hold still."""
    sketches = filter(None, map(unread_results.sketch_of, parts))
    return [
        written_time(result)[0]
        for result, (own, *others) in sketches
        if result.status not in unread_results.WITHDRAWN and (is_nameless(own, words) or _nameless(others, own, words))
    ]


def named(parts: Iterable[Raw | Resource], words: Vocabulary) -> int:
    """How many results, of all that was set aside, are no gap for any input but the one of which they say they are."""
    listed = list(parts)
    return sum(unread_results.sketch_of(one) is not None for one in listed) - len(unnamed(listed, words))


def is_nameless(code: CodeableConcept, words: Vocabulary) -> bool:
    """Whether no coding of a result says of what it is: a LOINC code, one that is classified, one that the site maps.

    A result in another system, in SNOMED CT or CPT by a code of no list, or in a laboratory's own word under LOINC's
    URI may be of any input. Words count only where there is no code, as they are only read there.
    """
    if not code.coding:
        return not (code.text and words.texts(code.text))
    return not any(_says_of_what(one, words) for one in code.coding)


def _says_of_what(one: Coding, words: Vocabulary) -> bool:
    if not one.system or not one.code:
        return False
    if words.maps.translate(one.system, one.code) or words.maps.rules_out(one.system, one.code):
        return True
    if words.maps.canonical(one.system) == LOINC and is_loinc(one.code):
        return True
    return why_not_understood(one.system, one.code, words) is None


def _is_grouping(observation: Observation) -> bool:
    """Whether it has parts or members and says nothing itself."""
    holds = bool(observation.component) or bytes(observation.has_member) not in _NOTHING
    return holds and has_no_value(observation)


def has_any_value(observation: Observation) -> bool:
    """Whether it or a part of it has a value, or a reason for having none."""
    return not (has_no_value(observation) and all(map(has_no_value, observation.component)))


def has_no_value(valued: Valued) -> bool:
    """Whether it has neither a value nor a reason for having none."""
    return (
        valued.value_quantity is None
        and valued.value_string is None
        and valued.value_codeable_concept is None
        and valued.value_integer is None
        and valued.value_range is None
        and valued.value_boolean is valued.value_ratio is valued.value_sampled_data is ABSENT
        and valued.data_absent_reason is None
    )
