"""What a site may say of how it writes its data, where nothing may be assumed without its word."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from fhir_mappings.results.site_inputs import SiteInput


class SiteRules(Struct, frozen=True, gc=False):
    """`decimal_comma`: numbers in texts are written "7,2" (messy case 12).

    `status_unknown`: such results count (messy case 21).
    `unread_is_absent`: entries that were not understood count as if they were not there (DEC-37, two approvals).
    `units`: UCUM units by the site's own texts (unit_aliases.by_text).
    `inputs`: laboratory values that it added (site_inputs.py).
    """

    decimal_comma: bool = False
    status_unknown: bool = False
    unread_is_absent: bool = False
    units: Mapping[str, str] = {}
    inputs: tuple[SiteInput, ...] = ()


NO_SITE_RULES = SiteRules()
