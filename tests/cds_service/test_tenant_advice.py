"""What a tenant's file says is what its cards do; what it cannot mean stops the start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from cds_service import tenant_advice
from cds_service.advice.choice import Advising
from cds_service.cards.dialects import DIALECTS
from cds_service.tenant_advice import UnknownRowError
from cds_service.tenants import speaking
from cds_service.tenants.tenant import AdviceSettings, Tenant, VendorProfile, WarningThresholds
from fhir_mappings.orders.order_codes import DEMONSTRATION, OrderCodeError
from fhir_mappings.terminology.concept_maps import ConceptMaps

LOINC = "http://loinc.org"


def a_tenant(**members: Any) -> Tenant:
    given = {"id": "t", "environment": "dev", "public_url": "https://risk.example.org"}
    return Tenant(**given | members)  # type: ignore[arg-type]


def test_bands_and_warning_thresholds_are_the_tenants() -> None:
    limits = tenant_advice.limits(a_tenant(bands=(0.5, 2.0, 4.0), warning=WarningThresholds(rare=0.02, common=0.3)))
    assert (limits.typical, limits.above, limits.well_above, limits.rare, limits.common) == (0.5, 2.0, 4.0, 0.02, 0.3)


def test_DEC_39_a_floor_that_a_tenant_names_stands_in_the_place_of_the_shipped_one() -> None:
    assert tenant_advice.floors(a_tenant()) == speaking.CARD_FLOORS
    own = tenant_advice.floors(a_tenant(card_floors={"30-day-death": 0.05}))
    assert own == speaking.CARD_FLOORS | {"30-day-death": 0.05}


def test_one_number_is_still_read_for_every_outcome() -> None:
    assert set(tenant_advice.floors(a_tenant(card_floor=0.1)).values()) == {0.1}


def test_rows_are_switched_by_their_ids() -> None:
    advice = AdviceSettings(off=("dxa",), opt_in=("cotinine",), hba1c_percent=7.5, maximum_suggestions=2)
    policy = tenant_advice.advising(a_tenant(advice=advice), ConceptMaps()).policy
    assert (policy.off, policy.opt_in, policy.maximum) == ({"dxa"}, {"cotinine"}, 2)
    assert policy.settings == {"hba1c_percent": 7.5, "hba1c_percent_spine": 7.5}


def test_a_row_that_does_not_exist_stops_the_start() -> None:
    with pytest.raises(UnknownRowError, match=r"tenant t: .*dxxa"):
        tenant_advice.advising(a_tenant(advice=AdviceSettings(off=("dxxa",))), ConceptMaps())


def test_outside_production_orders_have_the_standard_codes() -> None:
    codes = tenant_advice.advising(a_tenant(), ConceptMaps()).codes
    assert codes.find(LOINC, "4548-4") is not None


def test_production_has_no_code_that_nobody_mapped() -> None:
    assert tenant_advice.advising(a_tenant(environment="production"), ConceptMaps()).codes.find(LOINC, "4548-4") is None


def test_production_orders_by_its_own_map() -> None:
    tenant = a_tenant(environment="production", order_maps=(DEMONSTRATION,))
    assert tenant_advice.advising(tenant, ConceptMaps()).codes.find(LOINC, "4548-4") is not None


def test_DEC_41_a_map_of_a_dev_tenant_leaves_the_other_standard_codes(tmp_path: Path) -> None:
    element = {"code": "4548-4", "target": [{"code": "LAB90", "equivalence": "equal"}]}
    group = {"source": LOINC, "target": "urn:site", "element": [element]}
    own = tmp_path / "own.json"
    own.write_text(json.dumps({"resourceType": "ConceptMap", "group": [group]}))
    codes = tenant_advice.advising(a_tenant(order_maps=(own,)), ConceptMaps()).codes
    assert codes.find(LOINC, "2276-4") is not None
    production = tenant_advice.advising(a_tenant(environment="production", order_maps=(own,)), ConceptMaps()).codes
    assert production.find(LOINC, "2276-4") is None


def test_a_map_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(OrderCodeError, match=r"none\.json"):
        tenant_advice.advising(a_tenant(order_maps=(tmp_path / "none.json",)), ConceptMaps())


def test_the_place_of_a_card_follows_the_vendor_and_the_settings() -> None:
    advice = AdviceSettings(
        draft_intent="order", save_to_chart=True, smart_launch_url="https://risk.example.org/launch"
    )
    tenant = a_tenant(vendor_profile="oracle", discrete_result=False, advice=advice)
    place = tenant_advice.place(tenant, tenant_advice.advising(tenant, ConceptMaps()))
    assert (place.dialect.name, place.intent, place.save_to_chart, place.discrete_result) == (
        "oracle", "order", True, False,
    )  # fmt: skip
    assert place.launch_url == "https://risk.example.org/launch"


@pytest.mark.parametrize(
    "members", [{"maximum_suggestions": 4}, {"hba1c_percent": 3.0}, {"draft_intent": "plan-b"}, {"colour": "red"}]
)
def test_a_setting_out_of_its_range_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(members, AdviceSettings)


@pytest.mark.parametrize(
    ("vendor", "card_text", "markdown"),
    [
        ("generic", "as-vendor", True),
        ("generic", "plain", False),
        ("meditech", "as-vendor", False),
        ("meditech", "markdown", True),
        ("oracle", "plain", False),
    ],
)
def test_a_tenant_says_whether_its_cards_are_markdown_and_changes_nothing_else(
    vendor: VendorProfile, card_text: Literal["as-vendor", "markdown", "plain"], markdown: bool
) -> None:
    told = tenant_advice.place(a_tenant(vendor_profile=vendor, card_text=card_text), Advising()).dialect
    assert told == msgspec.structs.replace(DIALECTS[vendor], markdown=markdown)
