"""One tenant: one EHR installation, who may call for it, whom we may call for it, and how it wants to be advised."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from cds_service.tenants import speaking
from cds_service.tenants.tenant_parts import (
    Approval,
    Canary,
    Client,
    During,
    Jwks,
    Learning,
    Limits,
    LocalValidation,
    Retention,
    SmartApp,
    Terminology,
    UnreadApproval,
    ValidationGates,
)

__all__ = [
    "AdviceSettings",
    "Approval",
    "Canary",
    "Client",
    "DataHabits",
    "During",
    "Environment",
    "Hook",
    "Jwks",
    "Learning",
    "Limits",
    "LocalValidation",
    "Mode",
    "ModeInForce",
    "ModeRule",
    "Retention",
    "SmartApp",
    "Tenant",
    "Terminology",
    "UnreadApproval",
    "ValidationGates",
    "WarningThresholds",
]

Environment = Literal["demo", "dev", "production"]
Mode = Literal["off", "silent", "canary", "on"]
# What holds for one patient: `hold-out` where cards are shown, and not of this one (R-F07).
ModeInForce = Literal["off", "silent", "canary", "on", "hold-out"]
Hook = Literal["order-select", "order-sign", "appointment-book", "patient-view"]
ServiceIds = Literal["one", "per-hook"]
VendorProfile = Literal["epic", "oracle", "meditech", "generic", "sandbox", "inferno"]
SERVICE_PATH = "/cds-services"
EVERY_MODEL = "*"


class ModeRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mode for one hook, one procedure group, or one of both together. The most specific rule wins.

    `mode`: what holds there. `hook`: where; none: at each. `procedure_group`: of which operations; none: of all.
    """

    mode: Mode
    hook: Hook | None = None
    procedure_group: str | None = None


class WarningThresholds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From which probability (0 to 1) on a card may be a `warning` (DEC-39, speaking.py).

    `rare`: of death, heart attack, respiratory failure. `common`: of any complication.
    """

    rare: float = speaking.WARNING_RARE
    common: float = speaking.WARNING_COMMON


class AdviceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a card may suggest here (docs/suggestions.md, A-05, A-06, R-C03, R-C05).

    `off`: ids of catalogue rows that are never offered. `opt_in`: of those that are offered only where named.
    `maximum_suggestions`: on one card. `hba1c_percent`: from here on a referral is an option. `hba1c_percent_spine`:
    the same before spine surgery, where it is given (the CNS guideline has 7.5). `draft_intent`: what the EHR expects
    of drafts. `save_to_chart`: it takes a RiskAssessment. `smart_launch_url`: where it launches the risk profile.
    """

    off: tuple[str, ...] = ()
    opt_in: tuple[str, ...] = ()
    maximum_suggestions: Annotated[int, msgspec.Meta(ge=0, le=3)] = 3
    hba1c_percent: Annotated[float, msgspec.Meta(ge=6, le=12)] = 8.0
    hba1c_percent_spine: Annotated[float, msgspec.Meta(ge=6, le=12)] | None = None
    draft_intent: Literal["proposal", "order", "plan"] = "proposal"
    save_to_chart: bool = False
    smart_launch_url: str | None = None


class DataHabits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How this site writes its data, where FHIR leaves it open (messy cases 12, 21 and 34).

    `decimal_comma`: numbers in texts are written "7,2". `status_unknown`: results of Observation.status `unknown` count
    as preliminary ones do. `unverified_codes`: codes whose meaning was found in one public source only (trust k) count.
    `unread_entries`: what an entry of a list counts for that is not understood. `unread_approved`: who let them count
    as absent, which production needs (DEC-37). `fetch_medications`: a Medication that a prescription names and that did
    not come is read from the FHIR server. `units`: the UCUM unit by a text of this site's that is not understood
    otherwise.
    """

    decimal_comma: bool = False
    status_unknown: bool = False
    unverified_codes: bool = True
    unread_entries: Literal["unknown", "absent"] = "unknown"
    unread_approved: UnreadApproval | None = None
    fetch_medications: bool = True
    units: dict[str, str] = {}


class Tenant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One EHR installation. Times in seconds, probabilities 0 to 1.

    `id`: its name in the record, of lower-case letters, digits and hyphens. `environment`: `production` for real
    patients. `public_url`: as clients name the service. `clients`: who may call. `client_jwt`: whether a caller has to
    prove itself; without clients outside production it need not. `fhir_base_urls`: whom it may be asked to fetch
    from. `ca_bundle`: PEM file of the authorities that sign for these servers, besides the public ones. `mode`: off,
    silent (computed, recorded, not shown), canary or on. `modes`: another mode for a hook or a procedure group.
    `canary`: who sees cards in mode `canary`. `hooks`: which are offered. `retired_on`: from this day on it is silent.
    `region`: `EU` is silent without `ce_marked`. `ce_marked`: whether this deployment bears the CE mark. `zone`: the
    hospital's, an IANA name. `vendor_profile`: what its EHR takes of a card. `on_failure`: whether data that
    cannot be had are an error, or an empty list with the reason in the record. `deadline_s`: for a whole answer.
    `fetch_timeout_s`: for one call to the FHIR server. `fetch_budget_s`: for all of them. `bands`: the ratios to the
    usual risk at which a risk is lower, above and well above it. `warning`: from which risk on a card warns.
    `thresholds_approved`: who answers for other thresholds than the defaults. `cors_origins`: web pages that may
    call. `limits`: what a request may cost. `concept_maps`: files with what the site's own codes mean. `site_folder`:
    a folder with codes, laboratory inputs, units and rows of its own (docs/your-own-codes.md). `order_maps`: files
    with the codes by which the site orders what is suggested. `terminology`: a server that holds value sets. `data`:
    how the site writes its data. `advice`: what a card may suggest. `local_validation`: the report behind the first
    visible card. `validation`: what it has to show here. `retention`: how long the record is kept. `learning`: whether
    models may be learned from its operations, and the silent hold-out. `discrete_result`: whether a card carries the
    figures for programs. `explain_silence`: whether an empty list says why; outside production it does.
    `card_for_missing_required`: whether a card says that age or sex is missing. `smart`: how the risk profile is
    registered.
    `card_floors`: by outcome, the probability from which a card opens here (DEC-39); an outcome that is not named
    keeps the shipped one (speaking.py). `card_floor`: one number for all of them, as versions before read it; 0:
    always a card. `card_budget`: the share of operations that may have a card (`record floors`). `code_systems`: a
    URI of this site → the name of the code system that it is (code_systems.NAMES), added to those known everywhere
    (DEC-41). `added_models`: the site's own models that answer here (`cds-service models add`); "*" outside production:
    every one. `local_pages`: an opaque word of 16 to 64 characters; this tenant's model pages, with its local results,
    stand at /sites/<word>/models and its cards link there (DEC-26). `private_networks`: CIDR ranges in which a FHIR
    server on the hospital's own network may stand; loopback and link-local never count (R-G01). `card_text`: whether
    the EHR renders the markdown of a card's detail; as-vendor: what `vendor_profile` says. `service_ids`: the
    ids under which discovery lists the hooks (DEC-43); the common one is answered always. `dedupe_window_s`:
    how long the same card has the same uuid, and stays silent once answered (DEC-42); 0: each is a new one. `repeats`:
    whether it comes again while its order is edited (R-B09). `chart_at_order_hooks`: whether an order hook whose drafts
    hold no operation speaks of the one that stands in the chart (DEC-47); unless the file says, for the sandbox only.
    `during`: what is read of an operation while and after it is done (docs/during.md).
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
    site_folder: Path | None = None
    code_systems: dict[str, str] = {}
    order_maps: tuple[Path, ...] = ()
    terminology: Terminology | None = None
    data: DataHabits = DataHabits()
    advice: AdviceSettings = AdviceSettings()
    local_validation: LocalValidation | None = None
    validation: ValidationGates = ValidationGates()
    added_models: tuple[str, ...] = ()
    local_pages: str = ""
    retention: Retention = Retention()
    learning: Learning = Learning()
    discrete_result: bool = True
    explain_silence: bool = False
    card_for_missing_required: bool = True
    smart: SmartApp = SmartApp()
    during: During = During()

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
    def observations_url(self) -> str:
        """Where what is recorded of an operation is posted, as the client names it (docs/during.md)."""
        return f"{self._during_url}/observations"

    @property
    def notification_urls(self) -> tuple[str, ...]:
        """Where Subscriptions send to, as their server names it: notifications, the hook of R4 (docs/during.md)."""
        return self.observations_url, f"{self._during_url}/notifications", f"{self._during_url}/hook"

    @property
    def _during_url(self) -> str:
        return f"{self.public_url.rstrip('/')}/during/{self.id}"

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
