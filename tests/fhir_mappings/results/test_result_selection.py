"""Which of several results counts, and up to when (inputs 1.2 and 1.3)."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_mappings.terminology.code_systems import LOINC
from tests.builders import (
    a_quantity,
    an_observation,
    coded,
    date_ago,
    days_ago,
    derived,
    measured,
)


@pytest.mark.parametrize(
    ("name", "days", "status"),
    [
        ("creatinine", 90, "used"),
        ("creatinine", 90.01, "stale"),
        ("glucose", 30, "used"),
        ("glucose", 31, "stale"),
        ("height", 1826, "used"),
        ("height", 1827, "stale"),
        ("weight", 180, "used"),
        ("weight", 181, "stale"),
        ("spo2", 30, "used"),
        ("spo2", 31, "stale"),
    ],
)
def test_a_result_counts_up_to_its_window_and_is_told_after_it(name: str, days: float, status: str) -> None:
    value = {"creatinine": 1.1, "glucose": 100, "height": 170, "weight": 80, "spo2": 97}[name]
    found = measured(name, value, effectiveDateTime=days_ago(days))
    assert (found.status, found.value) == (status, value)
    assert found.model_value == (value if status == "used" else None)


@pytest.mark.parametrize(
    ("when", "status", "reason", "flags"),
    [
        ({"effectiveDateTime": days_ago(-0.9)}, "used", None, ("time-ahead",)),
        ({"effectiveDateTime": days_ago(-1.1)}, "rejected", "future", ()),
        ({"effectiveDateTime": date_ago(0)}, "used", None, ()),
        ({"effectiveDateTime": date_ago(90)}, "used", None, ()),
        ({"effectiveDateTime": date_ago(91)}, "stale", "stale", ()),
        ({"effectiveDateTime": "2026-10"}, "used", None, ()),
        ({"effectiveDateTime": "2026-11"}, "rejected", "date-imprecise", ()),
        ({"effectiveDateTime": "2026"}, "rejected", "date-imprecise", ()),
        ({"effectiveDateTime": "2025"}, "stale", "stale", ()),
        ({"effectiveDateTime": "last week"}, "rejected", "date-unreadable", ()),
        *(
            ({"effectiveDateTime": text}, "rejected", "date-unreadable", ())
            for text in (
                "2026-11-14T08",
                "2026-11-14 08:00:00",
                "2026-11-14 08:00",
                "2026-1-4",
                "20261114",
                "14.11.2026",
                " ",
                "2026-11-14T08:00:00 Z",
                "9999-12-31T23:59:59Z",
            )
        ),
        ({"effectiveDateTime": "2026-11-14 08:00", "issued": days_ago(3)}, "rejected", "date-unreadable", ()),
        (
            {"effectiveDateTime": None, "effectiveTiming": {"event": ["2026-11-14T08"]}},
            "rejected",
            "date-unreadable",
            (),
        ),
        ({"effectiveDateTime": None, "effectivePeriod": {"end": "2026-11-14T0"}}, "rejected", "date-unreadable", ()),
        ({"effectiveDateTime": None, "issued": "2026-11-14T08"}, "rejected", "date-unreadable", ("issued-time",)),
        ({"effectiveDateTime": None}, "rejected", "no-time", ()),
        ({"effectiveDateTime": None, "issued": days_ago(3)}, "used", None, ("issued-time",)),
        ({"effectiveDateTime": None, "effectiveInstant": days_ago(3)}, "used", None, ()),
        ({"effectiveDateTime": None, "effectivePeriod": {"end": days_ago(3)}}, "used", None, ()),
        ({"effectiveDateTime": None, "effectivePeriod": {"start": days_ago(3)}}, "used", None, ()),
        ({"effectiveDateTime": None, "effectiveTiming": {"event": [days_ago(99), days_ago(3)]}}, "used", None, ()),
    ],
)
def test_the_time_of_a_result_decides_whether_it_counts(
    when: dict[str, Any], status: str, reason: str | None, flags: tuple[str, ...]
) -> None:
    found = measured("creatinine", 1.1, **when)
    assert (found.status, found.reason, found.flags) == (status, reason, flags)


def test_a_time_without_zone_is_the_tenants() -> None:
    found = measured("creatinine", 1.1, effectiveDateTime="2026-11-20T09:30:00")  # 08:30 UTC, before the hook
    assert found.flags == ()


CR = "2160-0"


@pytest.mark.parametrize(
    ("case", "results", "value", "flags"),
    [
        ("the later day wins", [(1.0, {"effectiveDateTime": days_ago(5)}), (2.5, {"effectiveDateTime": days_ago(9)})],
         1.0, ()),
        ("a final result beats a newer preliminary one",
         [(1.0, {"effectiveDateTime": days_ago(5)}),
          (2.5, {"effectiveDateTime": days_ago(1), "status": "preliminary"})], 1.0, ("newer-preliminary",)),
        ("a preliminary result counts where there is no other", [(2.5, {"status": "preliminary"})], 2.5, ()),
        ("a correction replaces the result of the same time", [(1.0, {}), (2.5, {"status": "corrected"})], 2.5, ()),
        ("a correction does not replace a newer result",
         [(1.0, {"effectiveDateTime": days_ago(5)}),
          (2.5, {"effectiveDateTime": days_ago(9), "status": "corrected"})], 1.0, ()),
        ("of one time the later issued wins",
         [(1.0, {"issued": days_ago(9)}), (2.5, {"issued": days_ago(8)})], 2.5, ()),
        ("an exact duplicate counts once", [(1.0, {}), (1.0, {})], 1.0, ()),
        ("within half a per cent two results agree", [(200.0, {}), (200.5, {})], None, ()),
        ("a result entered in error is never used", [(2.5, {"status": "entered-in-error"}),
                                                     (1.0, {"effectiveDateTime": days_ago(80)})], 1.0, ()),
        ("one without a status is never used", [(2.5, {"status": None}),
                                                (1.0, {"effectiveDateTime": days_ago(80)})], 1.0, ()),
        ("what cannot be read never hides what can",
         [(None, {"valueString": "haemolysed"}), (1.0, {"effectiveDateTime": days_ago(80)})], 1.0,
             ("newer-unreadable",)),
        ("a full date outranks a month, which is told where it is newer",
         [(2.5, {"effectiveDateTime": "2026-10"}), (1.0, {"effectiveDateTime": "2026-09-15"})], 1.0,
             ("newer-unreadable",)),
    ],
)  # fmt: skip
def test_of_several_results_one_wins(
    case: str, results: list[Any], value: float | None, flags: tuple[str, ...]
) -> None:
    code, unit = ("777-3", "10*3/uL") if value is None else (CR, "mg/dL")
    observations = [
        an_observation(code, number, unit, **{"id": f"o-{position}", **members})
        for position, (number, members) in enumerate(results)
    ]
    name = "platelets" if value is None else "creatinine"
    for order in (observations, observations[::-1]):
        found = derived(*order)[name]
        assert (found.status, found.flags) == ("used", flags), case
        assert found.value == (200.0 if value is None else value), case


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2026-11-12T08:00+02:00", "2026-11-12T07:30+01:00"),  # without seconds, which FHIR asks for
        ("2026-11-12T08:00+02", "2026-11-12T07:30:00"),
        ("2026-11-12T08:00:00", "2026-11-12"),  # a date alone: the end of its day
        ("2026-11-12T09:00:00+05:00", "2026-11-12T08:00:00Z"),  # later as a text, earlier as a time
        ("2026-11-12T09:00:00+05:00", "2026-11-12T08:00:00+02:00"),
        ("2026-11-12T08:00:00Z", "2026-11-12T08:00:00.5Z"),
    ],
)
def test_texts_of_another_form_are_compared_as_times(earlier: str, later: str) -> None:
    results = [
        an_observation("2160-0", value, "mg/dL", id=when, effectiveDateTime=when)
        for value, when in ((1.0, earlier), (2.0, later))
    ]
    for order in (results, results[::-1]):
        assert derived(*order)["creatinine"].value == 2.0


def test_three_results_of_three_zones_are_compared_as_times() -> None:
    """A confirmed one is found first, and what is newer than it only as a time is still looked at."""
    times = ("2026-11-12T09:00:00+05:00", "2026-11-12T08:30:00+02:00", "2026-11-12T08:00:00Z")
    results = [an_observation(value=float(n), id=f"o{n}", effectiveDateTime=when) for n, when in enumerate(times, 1)]
    for order in (results, results[::-1], [results[1], results[2], results[0]]):
        assert derived(*order)["creatinine"].value == 3.0


@pytest.mark.parametrize(
    ("unread", "flags"),
    [
        ({"effectiveDateTime": days_ago(5)}, ("other-unreadable",)),  # of the same time
        ({"effectiveDateTime": date_ago(5)}, ("other-unreadable",)),  # of the same day
        ({"effectiveDateTime": "2026-11"}, ("other-unreadable",)),  # of the same month
        ({"effectiveDateTime": None}, ("other-unreadable",)),  # of any day
        ({"effectiveDateTime": "12.03.2026"}, ("other-unreadable",)),
        ({"effectiveDateTime": days_ago(4)}, ("newer-unreadable",)),
        ({"effectiveDateTime": days_ago(6)}, ()),
        ({"effectiveDateTime": days_ago(-3)}, ()),  # in the future: it says nothing
    ],
)
def test_a_result_that_cannot_be_read_is_told_beside_one_that_it_could_come_after(
    unread: dict[str, Any], flags: tuple[str, ...]
) -> None:
    good = an_observation(value=1.0, id="a", effectiveDateTime=days_ago(5))
    bad = an_observation(value=1.0, id="b", **unread) | {"valueQuantity": "1.0 mg/dL"}
    for order in ((good, bad), (bad, good)):
        found = derived(*order)["creatinine"]
        assert (found.value, found.flags) == (1.0, flags)


@pytest.mark.parametrize("when", [None, "12.03.2026", "19.11.2026", "2026-11"])
def test_a_number_of_no_day_that_is_known_is_told_beside_one_that_counts(when: str | None) -> None:
    """Confirmed results of many days are found first; one that may be newer than all of them is told still."""
    dated = [an_observation(value=1.0, id=f"o{n}", effectiveDateTime=days_ago(n)) for n in range(5, 60, 5)]
    found = derived(an_observation(value=4.4, id="undated", effectiveDateTime=when), *dated)["creatinine"]
    assert (found.value, found.flags) == (1.0, ("other-unreadable",))


@pytest.mark.parametrize(
    ("span", "value", "days", "flags"),
    [
        ("2026-10", 3.4, 40, ("other-unreadable",)),  # it may be of the days after the dated one
        ("2026-10", 3.4, 55, ("newer-unreadable",)),  # it is of a later month
        ("2026-10", 3.4, 5, ()),  # older, in whatever day of its month
        ("2026-10", 1.0, 40, ()),  # the same: it does not matter which is newer
        (None, 1.0, 40, ()),
    ],
)
def test_a_number_of_a_month_is_told_beside_one_of_a_day_that_it_could_come_after(
    span: str | None, value: float, days: int, flags: tuple[str, ...]
) -> None:
    dated = an_observation(value=1.0, id="dated", effectiveDateTime=date_ago(days))
    spanned = an_observation(value=value, id="spanned", effectiveDateTime=span)
    for order in ((dated, spanned), (spanned, dated)):
        found = derived(*order)["creatinine"]
        assert (found.value, found.flags) == (1.0, flags)


def test_of_one_day_only_what_ranks_higher_could_have_counted() -> None:
    """2708-6 ranks below 59408-5: of one day it does not count, however late in the day it came (inputs 1.3)."""

    def of(code: str, hours: float, **members: Any) -> dict[str, Any]:
        return an_observation(code, 97, "%", id=code, effectiveDateTime=days_ago(5 + hours / 24), **members)

    text: dict[str, Any] = {"valueQuantity": None, "valueString": "see note"}
    assert derived(of("59408-5", 1), of("2708-6", 0, **text))["spo2"].flags == ()
    assert derived(of("59408-5", 1, **text), of("2708-6", 0))["spo2"].flags == ("other-unreadable",)


def test_an_older_result_that_cannot_be_read_is_not_told_beside_a_date_alone() -> None:
    good = an_observation(value=1.0, id="a", effectiveDateTime=date_ago(5))
    bad = an_observation(value=1.0, id="b", effectiveDateTime=date_ago(6)) | {"valueQuantity": "1.0 mg/dL"}
    found = derived(good, bad)["creatinine"]
    assert (found.value, found.flags) == (1.0, ())


def test_a_preliminary_result_of_the_same_time_is_not_newer() -> None:
    found = derived(an_observation(value=1.0, id="a"), an_observation(value=2.5, id="b", status="preliminary"))
    assert (found["creatinine"].value, found["creatinine"].flags) == (1.0, ())


def test_a_limit_and_a_number_of_one_time_differ() -> None:
    limit = an_observation(id="b", value=None) | {"valueQuantity": a_quantity(1.0, "mg/dL") | {"comparator": "<"}}
    found = derived(an_observation(value=1.0, id="a"), limit)["creatinine"]
    assert (found.status, found.reason) == ("conflicting", "values-differ")


def test_half_a_per_cent_is_of_the_greater_number() -> None:
    """10 and 9.95 differ by half a per cent of 10, and by more than that of 9.95."""
    found = derived(*(an_observation("777-3", n, "10*3/uL", id=f"o{n}") for n in (1000.0, 995.0)))["platelets"]
    assert found.status == "used"


def test_two_results_of_one_time_that_differ_conflict() -> None:
    found = derived(an_observation(value=1.0, id="a"), an_observation(value=2.5, id="b"))["creatinine"]
    assert (found.status, found.reason, found.value) == ("conflicting", "values-differ", None)
    assert found.source == "Observation/a", "of equals the first id is told, whatever their order"


def test_the_laboratory_beats_the_bedside_of_the_same_day_and_not_of_a_later_one() -> None:
    laboratory = an_observation("718-7", 12.0, "g/dL", effectiveDateTime="2026-11-17T07:00:00Z")
    same_day = an_observation("30350-3", 9.0, "g/dL", effectiveDateTime="2026-11-17T12:00:00Z")
    next_day = an_observation("30350-3", 9.0, "g/dL", effectiveDateTime="2026-11-18T12:00:00Z")
    assert derived(laboratory, same_day)["haemoglobin"].value == 12.0
    assert derived(laboratory, next_day)["haemoglobin"].value == 9.0


def test_one_resource_coded_as_two_concepts_is_believed_for_neither() -> None:
    both = an_observation(coded((LOINC, "2160-0"), (LOINC, "718-7")), 1.1)
    found = derived(both)
    assert {found[name].reason for name in ("creatinine", "haemoglobin")} == {"two-concepts"}
    assert {found[name].status for name in ("creatinine", "haemoglobin")} == {"conflicting"}


def test_several_codings_of_one_concept_are_fine_in_any_order() -> None:
    codings = (("urn:oid:1.2.3", "HGB"), (LOINC, "718-7"), ("http://loinc.org/", "59260-0"))
    for order in (codings, codings[::-1]):
        assert derived(an_observation(coded(*order), 12.0, "g/dL"))["haemoglobin"].value == 12.0


def test_a_component_counts_and_wins_over_the_same_result_beside_the_panel() -> None:
    component = {"code": coded((LOINC, "2951-2")), "valueQuantity": a_quantity(140, "mmol/L")}
    panel = an_observation("24323-8", None, component=[component], id="panel")
    beside = an_observation("2951-2", 120, "mmol/L", id="beside")
    assert derived(panel)["sodium"].value == 140
    assert derived(beside, panel)["sodium"].source == "Observation/panel"
