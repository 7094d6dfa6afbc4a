"""More than twenty thousand generated requests over the wire: whatever comes, never a 5xx, never a shapeless body."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.acceptance.requests import a_condition, a_request, bundle
from tests.conformance.conftest import SERVICE

CORPUS = Path(__file__).parent / "corpus"
PER_EXAMPLE = 50
EXAMPLES = 420
WHOLE, PARTS = 2_000, 8

junk_words = st.sampled_from(
    ["", " ", "\x00", "Patient/", "../../x", "http://", "urn:uuid:1", "2026-13-45", "9" * 40, "é" * 50, "{{x}}", "pt-b"]
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    junk_words,
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(junk_words | st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
mutations = st.tuples(st.integers(0, 10_000), st.sampled_from(["replace", "remove", "wrap", "repeat", "add"]), values)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON document."""
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path] * bool(path) + [place for name, item in inside for place in places(item, (*path, name))]


def mutated(document: Any, mutation: tuple[int, str, Any]) -> Any:
    """The document with one place replaced, removed, wrapped in a list, repeated, or given a stranger."""
    number, kind, value = mutation
    changed = copy.deepcopy(document)
    where = PLACES[number % len(PLACES)]
    parent = changed
    for step in where[:-1]:
        parent = parent[step]
    name = where[-1]
    if kind == "remove":
        del parent[name]
    elif kind == "add" and isinstance(parent, dict):
        parent["zz"] = value
    elif kind == "repeat" and isinstance(parent, list):
        parent += [copy.deepcopy(parent[name])] * 3
    else:
        parent[name] = [parent[name]] if kind == "wrap" else value
    return changed


REQUEST = a_request(conditions=bundle(a_condition("J44.9"))) | {
    "fhirServer": "https://nowhere.example.org/r4",
    "fhirAuthorization": {"access_token": "t", "token_type": "Bearer", "expires_in": 1, "scope": "s", "subject": "s"},
    "extension": {"com.epic.x": "1"},
}
PLACES = places(REQUEST)
FEEDBACK = {
    "card": "c",
    "outcome": "accepted",
    "outcomeTimestamp": "2026-11-22T10:00:00Z",
    "acceptedSuggestions": [{"id": "s"}],
}


def well_formed(response: Any) -> None:
    assert response.status_code < 500, response.text
    assert response.status_code != 429, "refused before it was read: nothing was tested"
    if response.status_code == 200:
        assert {"cards", "received"} & set(response.json)
    else:
        assert response.json["resourceType"] == "OperationOutcome"


def of_batches(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


def all_well_formed(demo: Any, batch: list[tuple[int, str, Any]]) -> None:
    http = demo.test_client()
    for mutation in batch:
        well_formed(http.post(SERVICE, json=mutated(REQUEST, mutation)))


batches = st.lists(mutations, min_size=PER_EXAMPLE, max_size=PER_EXAMPLE)


@pytest.mark.end_to_end
@of_batches(EXAMPLES)
@given(batch=batches)
def test_twenty_thousand_mutated_requests_are_never_a_5xx(demo, batch):
    all_well_formed(demo, batch)


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_a_hundred_thousand_mutated_requests_are_never_a_5xx(demo, part):
    """In parts: what Hypothesis keeps of one run is collected for seconds, and an answer's time would run out in it."""

    @seed(part)
    @of_batches(WHOLE // PARTS)
    @given(batch=batches)
    def run(batch):
        all_well_formed(demo, batch)

    run()


@settings(max_examples=300, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(body=st.one_of(st.binary(max_size=200), values.map(lambda value: json.dumps(value).encode())))
def test_bodies_of_any_bytes_are_never_a_5xx(demo, body):
    for path in (SERVICE, f"{SERVICE}/feedback"):
        well_formed(demo.test_client().post(path, data=body, content_type="application/json"))


@settings(max_examples=300, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(
    changes=st.dictionaries(st.sampled_from([*FEEDBACK, "overrideReason", "overrideReasons", "zz"]), values, max_size=3)
)
def test_feedback_of_any_shape_is_never_a_5xx(demo, changes):
    body = {"feedback": [FEEDBACK | changes, changes]}
    well_formed(demo.test_client().post(f"{SERVICE}/feedback", json=body))


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*")), ids=lambda path: path.stem)
def test_what_once_was_found_stays_answered(demo, path):
    for endpoint in (SERVICE, f"{SERVICE}/feedback"):
        well_formed(demo.test_client().post(endpoint, data=path.read_bytes(), content_type="application/json"))
