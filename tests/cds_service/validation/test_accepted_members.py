"""Which members of a tenant's file are accepted when cards are switched on."""

from __future__ import annotations

from cds_service.tenants.tenant import Tenant

# What a card says or when, and so accepted with it; all else is of the connection, of reading, or judged by a gate.
ACCEPTED = {"bands", "warning", "card_floor", "card_floors", "advice", "data", "added_models", "local_validation"}
JUDGED_AGAIN = {"validation", "id"}
NOT_OF_IT = {
    "environment", "public_url", "clients", "client_jwt", "fhir_base_urls", "private_networks", "ca_bundle", "mode",
    "modes", "canary", "hooks", "service_ids", "retired_on", "region", "ce_marked", "zone", "vendor_profile",
    "card_text", "on_failure", "deadline_s", "fetch_timeout_s", "fetch_budget_s", "card_budget",
    "thresholds_approved", "dedupe_window_s", "repeats", "chart_at_order_hooks", "cors_origins", "limits",
    "concept_maps", "site_folder", "code_systems", "order_maps", "terminology", "local_pages", "retention",
    "learning", "discrete_result", "explain_silence", "card_for_missing_required", "smart", "during",
}  # fmt: skip


def test_every_member_of_a_file_is_accepted_or_no_part_of_it() -> None:
    """Whoever adds a member decides here whether it may change while cards are shown."""
    assert set(Tenant.__struct_fields__) == ACCEPTED | JUDGED_AGAIN | NOT_OF_IT
