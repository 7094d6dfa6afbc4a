"""Which Observation speaks of which input: indexed once by code, dropped where its status says so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from msgspec import Raw, Struct
from msgspec.structs import replace

from fhir_mappings.fhir.elements import CodeableConcept, concept
from fhir_mappings.fhir.resources import UNREADABLE_JSON, Observation, Resource, Valued
from fhir_mappings.results import decimal_comma, unit_aliases, unread_results
from fhir_mappings.results.added_oxygen import is_on_oxygen
from fhir_mappings.results.nameless import has_any_value, has_no_value, is_nameless, nameless_parts
from fhir_mappings.results.result_inputs import RECORDED
from fhir_mappings.results.result_time import written_time
from fhir_mappings.results.site_rules import NO_SITE_RULES, SiteRules
from fhir_mappings.results.unread_results import AWAITED, OTHER_CODE, STATUS_UNKNOWN, UNREADABLE, why_not_used
from fhir_mappings.terminology.concept_maps import Vocabulary

# https://hl7.org/fhir/R4/valueset-observation-status.html; the others are never used (inputs 1.3 step 1).
_USABLE = frozenset({"final", "amended", "corrected", "preliminary"})
_LOWER, _NOT_USED = "-lower-rank", "-not-used"
_LONGEST_CODE = 512  # bytes of a code as written; what is longer is understood each time and not remembered


class Recorded(Struct, frozen=True, gc=False):
    """One result or answer for one input: the Observation, and itself or the component that holds the value.

    `written`: when it was taken, as written; `issued_only`: only the time of its issue is known. `unread`: why it is
    not read (unread_results.py), "" for nearly all.
    """

    observation: Observation
    valued: Valued
    written: str
    issued_only: bool = False
    lower_rank: bool = False
    two_concepts: bool = False
    on_oxygen: bool = False
    unread: str = ""

    @property
    def is_component(self) -> bool:
        """Whether the value stands in a panel."""
        return self.valued is not self.observation

    @property
    def source(self) -> str:
        """The reference of the Observation."""
        return f"Observation/{self.observation.id or ''}"


RecordedByInput = dict[str, list[Recorded]]
# The inputs that a code means, and whether it ranks lower; None of a code of the quantity that the input does not take.
Inputs = tuple[tuple[str, bool | None], ...]
Meaning = tuple[Inputs | None, bool]  # the inputs, None where it cannot be read; whether it says nothing known here
InputsOf = Callable[[str | None, str | None], Inputs]


@lru_cache(maxsize=256)
def _inputs_of(words: Vocabulary, names: tuple[str, ...]) -> InputsOf:
    """From a code to the inputs that it means; remembered per vocabulary."""
    ranks = (("", False), (_LOWER, True), (_NOT_USED, None))
    roles = {name + suffix: (name, rank) for name in names for suffix, rank in ranks}

    def inputs(system: str | None, code: str | None) -> Inputs:
        meant = tuple(roles[idea] for idea in words.ideas(system, code) if idea in roles)
        taken = tuple(one for one in meant if one[1] is not None)  # by its code, or by what the site says of it
        return taken if taken or not meant or words.maps.rules_out(system, code) else meant

    return inputs


@lru_cache(maxsize=256)
def _meanings(words: Vocabulary, names: tuple[str, ...]) -> Callable[[bytes], Meaning]:
    """From the JSON of a code to what it means; a hospital writes the same few hundred in every result."""
    inputs_of = _inputs_of(words, names)

    def read(written_code: bytes) -> Meaning:
        meant = _understood(written_code, words, inputs_of)
        return meant, meant == () and is_nameless(concept(written_code), words)

    remembered = lru_cache(maxsize=4096)(read)
    return lambda written_code: (remembered if len(written_code) <= _LONGEST_CODE else read)(written_code)


def is_of_no_input(written_code: bytes, words: Vocabulary, names: tuple[str, ...]) -> bool:
    """Whether a result under this code, without components, says nothing of any input, and is known to say nothing."""
    meant, nameless = _meanings(words, names)(written_code)
    return meant == () and not nameless


def is_under_another_code(code: CodeableConcept, words: Vocabulary) -> bool:
    """Whether a result is of the quantity of an input, by a code that the input does not take."""
    ranks = [rank for _, rank in _meant(code, words, _inputs_of(words, RECORDED))]
    return None in ranks and not any(rank is not None for rank in ranks)


def means_input(written_code: bytes, words: Vocabulary, names: tuple[str, ...]) -> bool:
    """Whether a result under this code is by itself one of an input."""
    return bool(_meanings(words, names)(written_code)[0])


def index(
    observations: Iterable[Observation], words: Vocabulary, names: tuple[str, ...], rules: SiteRules = NO_SITE_RULES
) -> tuple[RecordedByInput, list[Observation], list[set[str]]]:
    """Per input (named as its value set) everything recorded for it, in no order; components beside the panels.

    Also those whose code cannot be read, and of every different code, of results and of their parts, that says nothing
    known here the times under which it stands: each may be of any input. A code is understood once, however many
    results there are of it.
    """
    found: RecordedByInput = defaultdict(list)
    unreadable: list[Observation] = []
    nameless: defaultdict[CodeableConcept, set[str]] = defaultdict(set)
    inputs_of = _inputs_of(words, names)
    meaning_of = _meanings(words, names)
    understood: dict[bytes, Meaning] = {}
    usable = _USABLE | {"unknown"} if rules.status_unknown else _USABLE
    if rules.decimal_comma:
        observations = map(decimal_comma.rewritten, observations)
    for observation in observations:
        if observation.status not in usable:
            _note(observation, _file_unusable(observation, words, inputs_of, found), nameless)
            continue
        written_code = bytes(observation.written_code)  # the hot loop: most Observations mean nothing here
        try:
            meant, says_nothing = understood[written_code]
        except KeyError:
            meant, says_nothing = understood[written_code] = meaning_of(written_code)
        if meant is None:
            unreadable.append(observation)
            _file_unread(observation, UNREADABLE, words, inputs_of, found)
            continue
        if says_nothing or observation.component:
            _note(observation, nameless_parts(observation, words), nameless)
        if not meant and not observation.component:
            continue
        if len(meant) == 1 and not observation.component:  # nearly all of what means something
            name, lower = meant[0]
            why = OTHER_CODE if lower is None else ""
            found[name].append(Recorded(observation, observation, *written_time(observation), bool(lower), unread=why))
        else:
            _file_whole(observation, meant, words, inputs_of, found)
    if rules.units:
        found = {name: [_in_ucum(one, rules.units) for one in results] for name, results in found.items()}
    return dict(found), unreadable, list(nameless.values())


def _note(
    observation: Observation, codes: Iterable[CodeableConcept], nameless: defaultdict[CodeableConcept, set[str]]
) -> None:
    for code in codes:
        nameless[code].add(written_time(observation)[0])


def _in_ucum(recorded: Recorded, aliases: Mapping[str, str]) -> Recorded:
    valued = unit_aliases.rewritten(recorded.valued, aliases)
    observation = valued if isinstance(valued, Observation) else recorded.observation
    return replace(recorded, observation=observation, valued=valued)


def _file_unusable(
    observation: Observation, words: Vocabulary, inputs_of: InputsOf, found: RecordedByInput
) -> Iterable[CodeableConcept]:
    """File a result that its status keeps from being used; what of it says nothing where a result may be there."""
    why = why_not_used(observation.status)
    _file_unread(observation, why, words, inputs_of, found)
    is_there = why == STATUS_UNKNOWN or (why == AWAITED and has_any_value(observation))
    return nameless_parts(observation, words) if is_there else ()


def _file_whole(
    observation: Observation, meant: Inputs, words: Vocabulary, inputs_of: InputsOf, found: RecordedByInput
) -> None:
    if meant:
        _file(observation, observation, meant, words, found)
    for component in observation.component:
        if meant := _meant(component.code, words, inputs_of):
            _file(observation, component, meant, words, found)


def file_unread(
    parts: Iterable[Raw | Resource], words: Vocabulary, names: tuple[str, ...], found: RecordedByInput
) -> None:
    """File those Observations that were set aside before they came here under the inputs of which they speak.

    Such an input is told as recorded and not readable, never as not recorded.
    """
    inputs_of = _inputs_of(words, names)
    for part in parts:
        if isinstance(part, Raw):
            if (sketched := unread_results.sketch(part)) is not None:
                _file_concepts(*sketched, _why_set_aside(sketched[0]), words, inputs_of, found)
        elif isinstance(part, Observation):
            _file_unread(part, _why_set_aside(part), words, inputs_of, found)


def _why_set_aside(observation: Observation) -> str:
    return why_not_used(observation.status) and UNREADABLE


def _file_unread(
    observation: Observation, why: str, words: Vocabulary, inputs_of: InputsOf, found: RecordedByInput
) -> None:
    if why:
        _file_concepts(observation, unread_results.concepts(observation), why, words, inputs_of, found)


def _file_concepts(
    observation: Observation,
    concepts: Iterable[CodeableConcept],
    why: str,
    words: Vocabulary,
    inputs_of: InputsOf,
    found: RecordedByInput,
) -> None:
    if not why:
        return
    written, issued_only = written_time(observation)
    for name, lower in dict(one for each in concepts for one in _meant(each, words, inputs_of)).items():
        recorded = Recorded(observation, observation, written, issued_only, bool(lower), unread=why)
        found.setdefault(name, []).append(recorded)


def _understood(written_code: bytes, words: Vocabulary, inputs_of: InputsOf) -> Inputs | None:
    try:
        return _meant(concept(written_code), words, inputs_of)
    except UNREADABLE_JSON:
        return None


def _meant(concept: CodeableConcept, words: Vocabulary, inputs_of: InputsOf) -> Inputs:
    if not concept.coding:
        return _by_text(concept, words, inputs_of)
    return tuple(one for coding in concept.coding for one in inputs_of(coding.system, coding.code))


def _by_text(concept: CodeableConcept, words: Vocabulary, inputs_of: InputsOf) -> Inputs:
    return tuple(one for code in words.texts(concept.text or "") for one in inputs_of(*code))


def _file(observation: Observation, valued: Valued, meant: Inputs, words: Vocabulary, found: RecordedByInput) -> None:
    if _is_bare_panel(valued):
        return
    meant = tuple(one for one in meant if one[1] is not None) or meant
    by_input = dict(meant)
    if len(meant) > len(by_input):  # several codings of one input: the code of higher rank decides
        by_input = {name: all(lower for other, lower in meant if other == name) for name in by_input}
    written, issued_only = written_time(observation)
    oxygen = bool(observation.component) and "spo2" in by_input and is_on_oxygen(observation, words)
    for name, lower in by_input.items():
        why = OTHER_CODE if lower is None else ""
        two = len(by_input) > 1 and not why
        recorded = Recorded(observation, valued, written, issued_only, bool(lower), two, oxygen, unread=why)
        found[name].append(recorded)


def _is_bare_panel(valued: Valued) -> bool:
    """Whether it has components but neither a value nor a reason for having none."""
    return isinstance(valued, Observation) and bool(valued.component) and has_no_value(valued)
