"""What is later changes nothing, and what is not understood never makes an outcome false: over every agreed case."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fhir_mappings.outcomes.derived import DerivedOutcome
from tests.fhir_mappings.outcomes import base_case

CASES = [one for one in base_case.cases() if "as_of" not in one]
DISPOSITIONS = ["home", "exp", "rehab", "weird"]
days_after = st.integers(1, 400).map(lambda days: base_case.AS_OF + timedelta(days=days))
# Years and months that lie wholly after the day that is asked about, too.
later = st.one_of(
    days_after.map(str), st.just("2027"), st.just("2026-07"), days_after.map(lambda day: f"{day}T10:00:00Z")
)
any_day = st.integers(-30, 120).map(lambda days: str(date(2026, 3, 10) + timedelta(days=days)))
codes = st.sampled_from(
    [{"icd": "J18.9"}, {"icd": "I21.4"}, {"icd": "T81.42XA"}, {"icd": "J96.00"}, {"icd": "I97.711"}, {"text": "?"}, {}]
)
done = st.sampled_from(
    [{"pcs": "5A1955Z"}, {"pcs": "30233N1"}, {"pcs": "0SG10A0"}, {"local": "X"}, {"cpt": "36430"}, {"text": "?"}]
)


@st.composite
def later_entries(draw: st.DrawFn) -> dict[str, Any]:
    """An entry of any kind, dated after the day that is asked about."""
    when = draw(later)
    kind = draw(st.sampled_from(["Condition", "Procedure", "Encounter", "Patient", "unread"]))
    name = f"later-{draw(st.integers(0, 9))}"
    match kind:
        case "Condition":
            dates = draw(st.sampled_from(["onsetDateTime", "recordedDate"]))
            return {"resourceType": kind, "id": name, dates: when, **draw(codes)}
        case "Procedure":
            return {"resourceType": kind, "id": name, "status": "completed", "performedDateTime": when, **draw(done)}
        case "Encounter":
            ends = {"disposition": draw(st.sampled_from(DISPOSITIONS)), "period": {"start": when}}
            return {"resourceType": kind, "id": name, "status": "finished", "class": "IMP", **ends}
        case "Patient":
            return {"resourceType": kind, "id": "p", "deceasedDateTime": when}
        case _:
            return {"resourceType": "Condition", "id": name, "implicitRules": "http://x", "recordedDate": when}


@st.composite
def not_understood(draw: st.DrawFn) -> dict[str, Any]:
    """An entry whose meaning nobody knows, of any day or none."""
    name = f"strange-{draw(st.integers(0, 9))}"
    kind = draw(st.sampled_from(["Condition", "Procedure", "Encounter"]))
    day = draw(any_day)
    unread = {"implicitRules": "http://x"} if draw(st.booleans()) else {}
    if kind == "Condition":
        dates = draw(st.sampled_from([{}, {"recordedDate": day}, {"onsetDateTime": day}, {"recordedDate": "soon"}]))
        tied = draw(st.sampled_from([{}, {"encounter": "stay"}, {"encounter": "nowhere"}]))
        return {"resourceType": kind, "id": name, "local": "?", **dates, **tied, **unread}
    if kind == "Procedure":
        dates = draw(st.sampled_from([{}, {"performedDateTime": day}, {"performedDateTime": "2026"}]))
        return {"resourceType": kind, "id": name, "status": draw(st.sampled_from(["completed", "odd"])),
                "local": "?", **dates, **unread}  # fmt: skip
    return {"resourceType": kind, "id": name, "status": "finished", "class": "ODD", "period": {"start": day}, **unread}


def _derived(case: dict[str, Any], *, add: list[dict[str, Any]]) -> dict[str, DerivedOutcome]:
    entries = base_case.resources(case.get("without", ()), [*case.get("add", ()), *add])
    return base_case.derived(entries, complete=case.get("complete", ()))


@given(st.sampled_from(CASES), st.lists(later_entries(), min_size=1, max_size=5))
def test_nothing_that_is_dated_later_changes_anything(case: dict[str, Any], entries: list[dict[str, Any]]) -> None:
    named = {one["id"] for one in case.get("add", ())}
    added = [one for one in entries if one["id"] != "p" or "p" not in named]
    assert _derived(case, add=added) == _derived(case, add=[])


@given(st.sampled_from(CASES), st.lists(not_understood(), min_size=1, max_size=5))
def test_what_is_not_understood_makes_nothing_false(case: dict[str, Any], entries: list[dict[str, Any]]) -> None:
    before, after = _derived(case, add=[]), _derived(case, add=entries)
    for name, found in after.items():
        assert found.occurred is not False or before[name].occurred is False, (name, before[name], found)
        assert found.occurred == before[name].occurred or found.occurred is None
        lost = found.occurred is None and before[name].occurred is not None
        assert not lost or found.why in ("not-understood", "part-unknown")


@given(st.sampled_from(CASES), st.sampled_from(["p", "op", "stay", "coded", "seen"]))
def test_what_is_taken_away_makes_no_outcome_false_that_was_unknown(case: dict[str, Any], name: str) -> None:
    """Less data are less known, but for a death or a discharge elsewhere that nobody tells any more."""
    if name == "op" or any(one["id"] == name for one in case.get("add", ())):
        return
    before = _derived(case, add=[])
    fewer = {**case, "without": [*case.get("without", ()), name]}
    for outcome, found in _derived(fewer, add=[]).items():
        assert found.occurred is not False or before[outcome].occurred is False
