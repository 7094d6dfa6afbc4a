"""What a process answers with: a tenant's file and the models, opened once in each process."""

from __future__ import annotations

import hashlib
from pathlib import Path

from msgspec import Struct

from cds_service.answer import Knowledge
from cds_service.answering.models_in_force import open_added, open_models
from cds_service.patient_data.fhir_client import FhirClient
from cds_service.replay import patient
from cds_service.replay.patient import Setting
from cds_service.tenant_runtime import open_tenant
from cds_service.tenants import tenant_files

_DEMO_URL = "http://127.0.0.1:8000"


class NamedOpening(Struct, frozen=True):
    """By which files to answer; None is what comes with the package. What can be sent to another machine."""

    tenant_file: Path | None = None
    models: Path | None = None
    site_models: Path | None = None
    class_b: bool = False
    procedures_too: bool = False


def setting(named: NamedOpening, provided: frozenset[str]) -> Setting:
    """Tenant and models as the service opens them; no recalibration: the figures are the models' own."""
    file = named.tenant_file
    tenant = tenant_files.load_file(file) if file is not None else tenant_files.demo_tenant(_DEMO_URL)
    models = open_models(named.models, class_b=named.class_b)
    knowledge = Knowledge(models, FhirClient(threads=1), added=open_added(named.site_models, models))
    site = patient.unhurried(open_tenant(tenant))
    return Setting(site, knowledge, provided, named.procedures_too)


def digest(named: NamedOpening, using: Setting) -> str:
    """Of what the rows rest on beside the export: another tenant file or another model is another replay."""
    whole = hashlib.sha256(repr(named).encode())
    if named.tenant_file is not None:
        whole.update(named.tenant_file.read_bytes())
    whole.update(using.knowledge.models.digest.encode())
    for name, one in sorted(using.knowledge.added.by_name.items()):
        whole.update(f"{name} {one.card.version}\n".encode())
    return whole.hexdigest()
