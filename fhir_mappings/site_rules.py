"""What a site may say of how it writes its data, where nothing may be assumed without its word."""

from __future__ import annotations

from msgspec import Struct


class SiteRules(Struct, frozen=True, gc=False):
    """`decimal_comma`: numbers in texts are written "7,2" (case 12). `status_unknown`: such results count (case 21).

    `unread_is_absent`: entries that were not understood count as if they were not there (DEC-37, two approvals).
    """

    decimal_comma: bool = False
    status_unknown: bool = False
    unread_is_absent: bool = False


NO_SITE_RULES = SiteRules()
