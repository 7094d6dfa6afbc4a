"""One tenant: one EHR installation, who may call for it, whom we may call for it, and how it wants to be advised."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from cds_service.tenants import speaking

Environment = Literal["demo", "dev", "production"]
Mode = Literal["off", "silent", "canary", "on"]
Hook = Literal["order-select", "order-sign", "appointment-book", "patient-view"]
Algorithm = Literal["ES384", "RS384", "ES256", "RS256"]
ServiceIds = Literal["one", "per-hook"]
VendorProfile = Literal["epic", "oracle", "meditech", "generic", "sandbox", "inferno"]
SERVICE_PATH = "/cds-services"


class Jwks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A client's public keys in the tenant file itself (RFC 7517), for clients without a JWKS URL."""

    keys: tuple[dict[str, Any], ...]


class Client(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A CDS Client that may call for this tenant (J-05..J-14, DEC-04, DEC-18).

    `audiences`: accepted besides the exact endpoint URL, for clients whose `aud` is typed in by hand.
    `tenants`: accepted values of the `tenant` claim; empty: the claim is not looked at.
    `subjects`: accepted values of `sub` (Epic: the client id); empty: the claim is not looked at.
    """

    issuer: str
    jwks_url: str | None = None
    jwks: Jwks | None = None
    algorithms: tuple[Algorithm, ...] = ("ES384", "RS384")
    jti: Literal["strict", "relaxed"] = "strict"
    audiences: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    max_lifetime_s: int = 3600


class Canary(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is shown cards in mode `canary`: these users (`Type/id`), and this share of all others (0 to 100 %)."""

    users: tuple[str, ...] = ()
    percent: float = 0.0


class ModeRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mode for one hook, one procedure group, or one of both together. The most specific rule wins."""

    mode: Mode
    hook: Hook | None = None
    procedure_group: str | None = None


class WarningThresholds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Probability (0 to 1) from which a rare or a common outcome may be a `warning` (DEC-39, speaking.py)."""

    rare: float = speaking.WARNING_RARE
    common: float = speaking.WARNING_COMMON


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one request may cost, and how many a tenant may send (R-G09, R-G10, R-G18). Sizes in bytes.

    Rate and concurrency hold in each worker process: a deployment of n workers admits up to n times as much.
    """

    body_bytes: int = 5 * 1024 * 1024
    inflated_bytes: int = 20 * 1024 * 1024
    inflation_ratio: int = 20
    depth: int = 64
    entries: int = 5_000
    string_characters: int = 64 * 1024
    number_characters: int = 32
    requests_per_s: float = 1_000.0
    burst: int = 2_000
    concurrent: int = 64


class LocalValidation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The report on this hospital's own cases that a person approved before the first visible card (DEC-30).

    `validity`, `fairness`: what it found, in words, for attributes 27 and 29 of the hospital's own model pages (H-11).
    """

    report: str
    approved_by: str
    date: datetime.date
    validity: str = ""
    fairness: str = ""


class Approval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who answers for bands, thresholds and floor that differ from the defaults, since when (R-B08)."""

    approved_by: str
    date: datetime.date


class AdviceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a card may suggest here (docs/suggestions.md, A-05, A-06, R-C03, R-C05).

    `off`, `opt_in`: ids of catalogue rows. `hba1c_percent`: from here on a referral is an option; before spine surgery
    from `hba1c_percent_spine`, where it is given (the CNS guideline has 7.5). `draft_intent`: what the EHR expects of
    drafts. `save_to_chart`: it takes a RiskAssessment. `smart_launch_url`: where it launches the risk profile.
    """

    off: tuple[str, ...] = ()
    opt_in: tuple[str, ...] = ()
    maximum_suggestions: Annotated[int, msgspec.Meta(ge=0, le=3)] = 3
    hba1c_percent: Annotated[float, msgspec.Meta(ge=6, le=12)] = 8.0
    hba1c_percent_spine: Annotated[float, msgspec.Meta(ge=6, le=12)] | None = None
    draft_intent: Literal["proposal", "order", "plan"] = "proposal"
    save_to_chart: bool = False
    smart_launch_url: str | None = None


class Retention(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Days until an evaluation is deleted and a clinician's free text is redacted (R-E13)."""

    evaluation_days: int = 2192
    comment_days: int = 90


class SmartApp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The risk profile as this EHR registered it: a public client of SMART App Launch 2, with PKCE.

    `authorization_url`: the URL below which authorize and token endpoints lie, where that is not a FHIR base URL.
    `frame_ancestors`: origins that may show the profile inside their own page; none: it opens by itself only.
    """

    client_id: str = "surgical-risk"
    authorization_url: str | None = None
    frame_ancestors: tuple[str, ...] = ()


class Terminology(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A terminology server whose expansions are added to shipped value sets, asked once at every start.

    `value_sets`: our id → the canonical URL under which that server holds it. `systems`: only the codes of these code
    systems are taken; none: all. `replaces`: they stand in the place of the shipped codes (DEC-41). `on_failure`:
    `stop` the start, or keep what is shipped and say so.
    `token_variable`: the environment variable that holds a bearer token. `deadline_s`: for all sets together.
    """

    base_url: str
    value_sets: dict[str, str]
    systems: tuple[str, ...] = ()
    replaces: bool = False
    on_failure: Literal["stop", "keep-shipped"] = "stop"
    token_variable: str | None = None
    deadline_s: float = 10.0


class UnreadApproval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which mapping report two people saw before they let entries that are not understood count as absent (DEC-37)."""

    mapping_report: str
    approved_by: tuple[str, ...]
    date: datetime.date


class DataHabits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How this site writes its data, where FHIR leaves it open (messy cases 12, 21 and 34).

    `decimal_comma`: numbers in texts are written "7,2". `status_unknown`: results of Observation.status `unknown` count
    as preliminary ones do. `unverified_codes`: codes whose meaning was found in one public source only (trust k) count.
    `unread_entries`: what an entry of a list counts for that is not understood; `absent` needs `unread_approved` in
    production (DEC-37). `fetch_medications`: a Medication that a prescription names and that did not come is read from
    the FHIR server. `units`: the UCUM unit by a text of this site's that is not understood otherwise.
    """

    decimal_comma: bool = False
    status_unknown: bool = False
    unverified_codes: bool = True
    unread_entries: Literal["unknown", "absent"] = "unknown"
    unread_approved: UnreadApproval | None = None
    fetch_medications: bool = True
    units: dict[str, str] = {}


class Tenant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One EHR installation. Times in seconds, probabilities 0 to 1, `zone` an IANA name.

    `card_floors`: by outcome, the probability from which a card opens here (DEC-39); an outcome that is not named
    keeps the shipped one (speaking.py). `card_floor`: one number for all of them, as versions before read it; 0:
    always a card. `card_budget`: the share of operations that may have a card (`record floors`). `code_systems`: a
    URI of this site → the name of the code system that it is (code_systems.NAMES), added to those known everywhere
    (DEC-41). `local_pages`: an opaque word of 16 to 64 characters; this tenant's model pages, with its local results,
    stand at /sites/<word>/models and its cards link there (DEC-26). `private_networks`: CIDR ranges in which a FHIR
    server on the hospital's own network may stand; loopback and link-local never count (R-G01). `card_text`: whether
    the EHR renders the markdown of a card's detail; as-vendor: what `vendor_profile` says. `service_ids`: the
    ids under which discovery lists the hooks (DEC-43); the common one is answered always. `dedupe_window_s`:
    how long the same card has the same uuid, and stays silent once answered (DEC-42); 0: each is a new one. `repeats`:
    whether it comes again while its order is edited (R-B09). `chart_at_order_hooks`: whether an order hook whose drafts
    hold no operation speaks of the one that stands in the chart (DEC-47); unless the file says, for the sandbox only.
    """

    id: str
    environment: Environment
    public_url: str
    clients: tuple[Client, ...] = ()
    client_jwt: Literal["required", "optional"] = "required"
    fhir_base_urls: tuple[str, ...] = ()
    private_networks: tuple[str, ...] = ()
    ca_bundle: Path | None = None
    mode: Mode = "silent"
    modes: tuple[ModeRule, ...] = ()
    canary: Canary = Canary()
    hooks: tuple[Hook, ...] = ("order-select", "order-sign")
    service_ids: ServiceIds | None = None
    retired_on: datetime.date | None = None
    region: str = "US"
    ce_marked: bool = False
    zone: str = "UTC"
    vendor_profile: VendorProfile = "generic"
    card_text: Literal["as-vendor", "markdown", "plain"] = "as-vendor"
    on_failure: Literal["error", "empty"] = "error"
    deadline_s: float = 1.8
    fetch_timeout_s: float = 0.8
    fetch_budget_s: float = 1.5
    bands: tuple[float, float, float] = (0.67, 1.5, 3.0)
    warning: WarningThresholds = WarningThresholds()
    card_floor: float | None = None
    card_floors: dict[str, float] = {}
    card_budget: float | None = None
    thresholds_approved: Approval | None = None
    dedupe_window_s: float = 86_400.0
    repeats: Literal["while-edited", "once"] = "while-edited"
    chart_at_order_hooks: bool | None = None
    cors_origins: tuple[str, ...] = ()
    limits: Limits = Limits()
    concept_maps: tuple[Path, ...] = ()
    code_systems: dict[str, str] = {}
    order_maps: tuple[Path, ...] = ()
    terminology: Terminology | None = None
    data: DataHabits = DataHabits()
    advice: AdviceSettings = AdviceSettings()
    local_validation: LocalValidation | None = None
    local_pages: str = ""
    retention: Retention = Retention()
    discrete_result: bool = True
    explain_silence: bool = False
    card_for_missing_required: bool = True
    smart: SmartApp = SmartApp()

    @property
    def discovery_url(self) -> str:
        """The discovery endpoint as the client names it."""
        return self.public_url.rstrip("/") + SERVICE_PATH

    def service_url(self, service_id: str) -> str:
        """The service endpoint as the client names it: the `aud` to expect (J-10)."""
        return f"{self.discovery_url}/{service_id}"

    def feedback_url(self, service_id: str) -> str:
        """The feedback endpoint as the client names it (K-08)."""
        return f"{self.service_url(service_id)}/feedback"

    @property
    def lists_id_per_hook(self) -> bool:
        """Whether each hook has an id of its own: where the file says so, and for the sandbox where it says nothing."""
        if self.service_ids is not None:
            return self.service_ids == "per-hook"
        return self._is_for_the_sandbox

    @property
    def speaks_of_chart(self) -> bool:
        """Whether an order hook without an operation is answered about the chart's: the sandbox can order none."""
        return self._is_for_the_sandbox if self.chart_at_order_hooks is None else self.chart_at_order_hooks

    @property
    def _is_for_the_sandbox(self) -> bool:
        return self.environment == "demo" or self.vendor_profile == "sandbox"

    @property
    def is_production(self) -> bool:
        """Whether real patients are behind this tenant."""
        return self.environment == "production"
