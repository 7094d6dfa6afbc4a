"""What a site may switch: results of unknown status, and codes that stand in one public source only."""

from __future__ import annotations

import pytest

from fhir_mappings.results.site_rules import SiteRules
from fhir_mappings.terminology.code_systems import RXNORM, SNOMED_CT
from fhir_mappings.terminology.value_sets import STANDARD
from tests.builders import a_condition, a_medication_request, an_observation, coded, days_ago, derived

UNKNOWN = SiteRules(status_unknown=True)
VERIFIED = STANDARD.verified()
# SNOMED CT emphysema (k), diabetes (V); RxNorm from the table, one of each trust (rxnorm_classes.csv).
EMPHYSEMA, DIABETES = coded((SNOMED_CT, "16003001")), coded((SNOMED_CT, "44054006"))


def test_a_result_of_unknown_status_counts_only_where_the_site_says_so() -> None:
    result = an_observation(status="unknown")
    assert derived(result)["creatinine"].reason == "result-status-unknown"
    found = derived(result, rules=UNKNOWN)["creatinine"]
    assert (found.status, found.value, found.flags) == ("used", 1.1, ("result-status-unknown",))


def test_a_confirmed_result_beats_a_newer_one_of_unknown_status() -> None:
    confirmed = an_observation(id="old", value=2.2, effectiveDateTime=days_ago(20))
    found = derived(confirmed, an_observation(id="new", status="unknown"), rules=UNKNOWN)["creatinine"]
    assert (found.value, found.flags) == (2.2, ("newer-preliminary",))


@pytest.mark.parametrize(
    ("status", "reason"),
    [("entered-in-error", "never-recorded"), ("cancelled", "never-recorded"), ("registered", "awaited")],
)
def test_no_site_can_let_other_statuses_count(status: str, reason: str) -> None:
    assert derived(an_observation(status=status), rules=UNKNOWN)["creatinine"].reason == reason


def test_unverified_codes_count_unless_the_site_says_no() -> None:
    assert derived(a_condition(EMPHYSEMA))["copd"].value is True
    assert derived(a_condition(EMPHYSEMA), value_sets=VERIFIED)["copd"].reason == "not-understood"
    assert derived(a_condition(DIABETES), value_sets=VERIFIED)["diabetes"].value is True


def test_the_sets_without_unverified_codes_hold_every_other_code() -> None:
    def rules(sets: object) -> set[tuple[str, str, str]]:
        return {(one.id, rule.system, rule.value) for one in sets.by_id.values() for rule in one.includes}  # type: ignore[attr-defined]

    left_out = {
        (one.id, rule.system, rule.value)
        for one in STANDARD.by_id.values()
        for rule in one.includes
        if rule.trust == "k"
    }
    assert left_out
    assert rules(VERIFIED) == rules(STANDARD) - left_out
    assert (VERIFIED.only_verified, STANDARD.only_verified) == (True, False)


def test_a_medicine_by_an_unverified_code_is_of_unknown_class_and_not_absent() -> None:
    unverified = a_medication_request(coded((RXNORM, _code("k"))))
    assert derived(unverified)["anticoagulant"].value is True
    found = derived(unverified, value_sets=VERIFIED)["anticoagulant"]
    assert (found.status, found.reason) == ("missing", "not-understood")
    assert (
        derived(a_medication_request(coded((RXNORM, _code("V")))), value_sets=VERIFIED)["anticoagulant"].value is True
    )


def _code(trust: str) -> str:
    from pathlib import Path

    import fhir_mappings

    table = (Path(fhir_mappings.__file__).with_name("terminology") / "rxnorm_classes.csv").read_text(encoding="utf-8")
    rows = [line.split(",") for line in table.splitlines() if line[0] != "#"]
    marks = {row[0]: {other[-1] for other in rows if other[0] == row[0]} for row in rows if "anticoagulant" in row}
    return next(code for code, trusts in marks.items() if trusts == {trust})
