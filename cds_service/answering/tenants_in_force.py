"""The hospitals that are answered, and their change while the service runs: all validated first, then all in force.

A file that came, changed or went is found by a thread of each worker. Whatever is wrong with one, every tenant stays
as it was, and that is told; a tenant whose file and what it names stayed keeps its connections, keys and counts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import msgspec

from cds_service.operations import logs, metrics
from cds_service.operations.logs import OwnWords
from cds_service.tenant_runtime import TenantRuntime, open_tenant
from cds_service.tenants.tenant_files import check_for
from cds_service.tenants.tenant_folder import TenantFolder

# Some thousands of `stat` calls of one thread; a change holds in every worker within this and the time of reading it.
CHECK_S = 10.0
_MOST_TOLD = 20

Sites = tuple[TenantRuntime, ...]
Take = Callable[[Sites, str], None]


class TenantsStatus(msgspec.Struct, frozen=True):
    """Since when these tenants are in force, a digest of their files, and why the files now there are not."""

    since: datetime
    digest: str
    refused: str | None = None


class TenantsInForce:
    """The tenants of one folder; raises what is wrong with them rather than half start."""

    def __init__(self, folder: TenantFolder) -> None:
        self._folder = folder
        self.sites: Sites = ()
        self.sites, digest = self._opened()
        self.status = TenantsStatus(datetime.now(UTC), digest)
        self._take: Take = _nobody
        self._ended = threading.Event()

    def hand_on(self, take: Take) -> None:
        """Give every change, with the digest of its files, to `take`, which raises where it cannot be served."""
        self._take = take
        metrics.tenants.set(len(self.sites))

    def watch(self) -> None:
        """Look for changes until `close`, in a thread of this worker."""
        threading.Thread(target=self._watch, name="tenants", daemon=True).start()

    def close(self) -> None:
        """Stop looking."""
        self._ended.set()

    def refresh(self) -> bool:
        """Look once; True where other tenants are in force now. What cannot be served changes nothing and is told."""
        if not self._folder.has_changed() and self.status.refused is None:
            return False
        try:
            sites, digest = self._opened()
            if digest != self.status.digest:
                self._take(sites, digest)
        except Exception as error:  # noqa: BLE001 — whatever is wrong with a file, the tenants as they were are answered
            self._refuse(error)
            return False
        before, self.sites = self.sites, sites
        is_other = digest != self.status.digest
        self.status = TenantsStatus(datetime.now(UTC) if is_other else self.status.since, digest)
        if is_other:
            metrics.tenants.set(len(sites))
            metrics.tenant_loads.labels("loaded").inc()
            logs.note("tenants-loaded", told=OwnWords(_difference(before, sites)))
        return is_other

    def state(self) -> dict[str, object]:
        """For /ready: how many there are, since when, of which files, and why newer ones are not in force."""
        status = self.status
        told: dict[str, object] = {
            "tenants": len(self.sites),
            "tenantsSince": status.since,
            "tenantFiles": status.digest,
        }
        return told | ({"tenantsRefused": status.refused} if status.refused else {})

    def _opened(self) -> tuple[Sites, str]:
        listed = self._folder.read()
        check_for(listed.tenants)
        known = {site.tenant.id: site for site in self.sites}
        sites = tuple(
            same
            if (same := known.get(tenant.id)) is not None and same.source == listed.sources[tenant.id]
            else open_tenant(tenant, source=listed.sources[tenant.id])
            for tenant in listed.tenants
        )
        return sites, listed.digest

    def _refuse(self, error: Exception) -> None:
        ours = type(error).__module__.startswith(("cds_service.", "fhir_mappings.", "models_onnx."))
        told = str(error) if ours else type(error).__name__
        if told != self.status.refused:
            metrics.tenant_loads.labels("refused").inc()
            logs.warn("tenants-refused", error=type(error).__name__, at=logs.where(error), told=OwnWords(told))
        self.status = msgspec.structs.replace(self.status, refused=told)

    def _watch(self) -> None:
        while not self._ended.wait(CHECK_S):
            self.refresh()


def _nobody(_sites: Sites, _digest: str) -> None:
    """Before there is an application."""


def _difference(before: Sites, after: Sites) -> str:
    """Which tenants came, changed and went, by their ids."""
    old, new = _sources(before), _sources(after)
    told = {
        "added": [one for one in new if one not in old],
        "changed": [one for one in new if one in old and old[one] != new[one]],
        "retired": [one for one in old if one not in new],
    }
    return "; ".join(f"{what} {_listed(ids)}" for what, ids in told.items() if ids) or "the same tenants"


def _sources(sites: Sites) -> Mapping[str, str]:
    return {site.tenant.id: site.source for site in sites}


def _listed(ids: list[str]) -> str:
    more = f" and {len(ids) - _MOST_TOLD} more" if len(ids) > _MOST_TOLD else ""
    return f"{', '.join(ids[:_MOST_TOLD])}{more}"
