"""What a panel or report holds beside the result itself is the same one, and of the holder's time where it has none."""

from __future__ import annotations

import pytest

from fhir_mappings.terminology.code_systems import LOINC
from tests.builders import a_quantity, an_observation, coded, date_ago, days_ago, derived
from tests.fhir_mappings.results.test_within_results import LOCAL, MODIFIER, UNCLEAR, Resource, inside, panel, report


@pytest.mark.parametrize(
    ("copy", "flags"),
    [
        ({}, ()),
        ({"id": "another"}, ()),
        ({"effectiveDateTime": days_ago(10).replace("Z", "+00:00")}, ()),  # the same time, written otherwise
        ({"effectiveDateTime": None}, ()),
        ({"code": coded(("urn:oid:1.2.3", "KREA"), (LOINC, "2160-0"))}, ()),
        ({"valueQuantity": a_quantity(4.4)}, ("other-unreadable",)),
        ({"effectiveDateTime": None, "valueQuantity": a_quantity(4.4)}, ("other-unreadable",)),
        ({"effectiveDateTime": date_ago(10), "id": "another"}, ("other-unreadable",)),
        ({"effectiveDateTime": days_ago(9), "id": "another"}, ("newer-unreadable",)),
        ({"effectiveDateTime": days_ago(11), "id": "another"}, ()),
    ],
)
def test_a_copy_in_its_panel_says_nothing_beside_the_result_itself(copy: Resource, flags: tuple[str, ...]) -> None:
    one = an_observation(id="one")
    held = {name: value for name, value in (inside(one) | copy).items() if value is not None}
    for holder in (panel, report):
        found = derived(one, holder(contained=[held]))["creatinine"]
        assert (found.value, found.flags) == (1.1, flags)


@pytest.mark.parametrize(
    ("holder", "flags"),
    [
        ({}, ()),
        ({"effectiveDateTime": date_ago(10)}, ()),
        ({"effectiveDateTime": None, "effectivePeriod": {"end": days_ago(10)}}, ()),
        ({"effectiveDateTime": None, "issued": days_ago(10)}, ()),
        ({"effectiveDateTime": days_ago(9)}, ("newer-unreadable",)),
        ({"effectiveDateTime": days_ago(11)}, ()),
        ({"effectiveDateTime": date_ago(10)[:7]}, ("other-unreadable",)),
        ({"effectiveDateTime": None}, ("other-unreadable",)),
    ],
)
@pytest.mark.parametrize("number", [None, "another"])
def test_what_is_held_without_a_time_is_of_the_time_of_what_holds_it(
    number: str | None, holder: Resource, flags: tuple[str, ...]
) -> None:
    one = an_observation(id="one")
    held = {k: v for k, v in (inside(one) | {"id": number}).items() if v is not None and k != "effectiveDateTime"}
    turned = {"modifierExtension": MODIFIER}
    for made in (panel(**turned), report(**turned), panel(), report()):
        holding = {k: v for k, v in (made | {"contained": [held]} | holder).items() if v is not None}
        assert (derived(one, holding)["creatinine"].flags) == flags
    differs = {k: v for k, v in panel(contained=[held | {"valueQuantity": a_quantity(4.4)}], **holder).items() if v}
    of_another_day = holder == {"effectiveDateTime": days_ago(11)}
    assert bool(derived(one, differs)["creatinine"].flags) != of_another_day


def test_a_time_of_its_own_that_says_nothing_is_not_that_of_what_holds_it() -> None:
    one = an_observation(id="one")
    absent: Resource = {"effectiveDateTime": None, "_effectiveDateTime": {"extension": []}}
    times: tuple[Resource, ...] = ({"effectiveDateTime": 5}, absent)
    for broken in times:
        held = {k: v for k, v in (inside(one) | {"id": "other"} | broken).items() if v is not None}
        assert derived(one, panel(contained=[held]))["creatinine"].flags == ("other-unreadable",)


def test_a_copy_of_a_result_that_nobody_knows_leaves_open_what_it_did() -> None:
    one = an_observation(LOCAL, 4.4, "mg/dL", id="krea")
    assert derived(one, panel(contained=[inside(one)]))["creatinine"].reason == UNCLEAR
