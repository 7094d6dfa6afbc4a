"""`/evidence`: every row of the suggestion catalogue with its source and the 13 attributes of an evidence-based DSI."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from flask import Blueprint, Response

from cds_service.advice.catalogue import Catalogue, Demographics, Row, Theme, citation
from cds_service.advice.not_coded import NOT_CODED
from cds_service.advice.operation_attributes import OPERATIONS
from cds_service.hooks.services import INTENDED_USE
from cds_service.pages import layout, trigger_words
from cds_service.pages.citations import linked
from cds_service.tenant_runtime import TenantRuntime
from fhir_mappings.features.features import FEATURES

# 45 CFR 170.315(b)(11)(iv)(A)(5)-(13), as the attributes of Demographics.
ITEMS = tuple(field.name for field in msgspec.structs.fields(Demographics))


class AddedTheme(msgspec.Struct, frozen=True):
    """A theme with the features that its rows may ask for; `of_site`: added by a hospital, which the page never names.

    The page needs no sign-in, and which hospitals use a service is nobody's business.
    """

    theme: Theme
    features: trigger_words.Features
    of_site: bool = False


def added(sites: Iterable[TenantRuntime]) -> tuple[AddedTheme, ...]:
    """Each theme of the site folders once, however many tenants have it."""
    found = {
        msgspec.json.encode(theme): AddedTheme(theme, site.own.definitions, of_site=True)
        for site in sites
        for theme in site.own.themes
    }
    return tuple(found.values())


def blueprint(catalogue: Catalogue, own: Sequence[AddedTheme] = ()) -> Blueprint:
    """The page, and the same rows as JSON by `Accept`; rows that sites added are marked as theirs."""
    shown = [*(AddedTheme(theme, FEATURES) for theme in catalogue.themes), *own]
    pages = Blueprint("evidence", __name__)

    @pages.get("/evidence")
    def page() -> Response:
        if layout.wants_json():
            rows = [row_evidence(one, row) for one in shown for row in one.theme.rows]
            content = {"suggestions": rows, "operations": OPERATIONS, "notCarriedOut": NOT_CODED}
            response = Response(msgspec.json.encode(content), mimetype="application/json")
            response.headers["Vary"] = "Accept"
            return response
        return layout.html(
            "evidence.html",
            cached=True,
            shown=shown,
            used=used,
            when=trigger_words.when,
            unless=trigger_words.unless,
            linked=linked,
            items=ITEMS,
            intended_use=INTENDED_USE,
            operations=OPERATIONS,
            with_attribute=with_attribute,
            not_coded=NOT_CODED,
        )

    return pages


def row_evidence(of: AddedTheme, row: Row) -> dict[str, Any]:
    """One row: what is offered, when, and its 13 attributes; and whether a hospital added it."""
    theme = of.theme
    when, unless = trigger_words.when(row, of.features), trigger_words.unless(row, of.features)
    return ({"addedBySite": True} if of.of_site else {}) | {
        "id": row.id,
        "row": row.number,
        "theme": theme.theme,
        "kind": row.kind,
        "consider": row.consider,
        "because": row.because,
        "cautions": [caution.say for caution in row.cautions],
        "leadDays": row.lead_days,
        "notWhereRequested": list(row.unless_requested),
        "optIn": row.opt_in,
        "grade": row.grade,
        "evidence": row.evidence,
        "elsewhereThanSpine": msgspec.to_builtins(row.elsewhere),
        "trigger": msgspec.to_builtins(row.trigger),
        "unless": msgspec.to_builtins(row.unless),
        "actsOnFinding": row.acts,
        "inWords": {"when": when, "unless": unless},
        "owner": theme.owner,
        "reviewer": theme.reviewer,
        "reviewed": theme.reviewed.isoformat(),
        "nextReview": theme.next_review.isoformat(),
        "attributes": {
            "citation": citation(row),
            "developer": theme.developer,
            "funding": theme.funding,
            "dates": f"source {row.source_date}; released {theme.released}; reviewed {theme.reviewed}",
            **msgspec.to_builtins(row.demographics),
        },
    }


def with_attribute(name: str) -> list[str]:
    """The procedure groups that the catalogue sees so."""
    return [group for group, attributes in OPERATIONS.operations.items() if name in attributes]


def used(row: Row) -> dict[str, str]:
    """The demographic items that the row uses, and how."""
    return {item: how for item in ITEMS if (how := getattr(row.demographics, item)) != "not used"}
