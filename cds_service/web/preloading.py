"""What every worker needs and none changes, loaded once before they are forked: they share its memory.

Code, tables, templates and tenant files only. No model is opened here (models_onnx/sessions.py), no database is asked,
no thread started: those do not survive a fork.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
from typing import TYPE_CHECKING

from cds_service.web.settings import Settings

if TYPE_CHECKING:
    from cds_service.answering.tenants_in_force import TenantsInForce

_M_ARENA_MAX = -8  # mallopt(3) of GNU's C library
# What create_app imports only where it is wanted.
_OF_THE_DEMO = ("sandbox", "sealed", "sign_in")


def load(settings: Settings) -> TenantsInForce | None:
    """Import the application and make what is made once; then keep the collector from touching any of it.

    Returns the tenants that the workers may share, if there are any.
    """
    from cds_service.records import database  # noqa: PLC0415 — a command that starts no workers waits for none of this
    from fhir_mappings.orders import draft_orders  # noqa: PLC0415
    from fhir_mappings.writing import draft_resources  # noqa: PLC0415

    _share_one_heap()
    importlib.import_module("cds_service.web.app")
    for name in _OF_THE_DEMO if settings.demo else ():
        importlib.import_module(f"cds_service.demo.{name}")
    database.connect(settings.database_url, durable=True, connections=1).dispose()  # its driver
    draft_resources.operation_outcome(severity="information", code="informational", text="The service is ready.")
    draft_orders.prepare()
    tenants = _tenants(settings)
    gc.collect()
    gc.freeze()
    return tenants


def _tenants(settings: Settings) -> TenantsInForce | None:
    """Those of the folder; None where one asks a server first, or something is wrong, which each worker then tells."""
    from cds_service.answering.tenants_in_force import TenantsInForce  # noqa: PLC0415
    from cds_service.tenants.tenant_folder import TenantFolder  # noqa: PLC0415

    if settings.tenants is None or settings.demo:
        return None
    folder = TenantFolder(settings.tenants)
    with contextlib.suppress(Exception):
        if not any(tenant.terminology for tenant in folder.read().tenants):
            return TenantsInForce(folder)
    return None


def _share_one_heap() -> None:
    """One heap for all threads, which take turns in Python anyway: each would keep the peak of a heap of its own."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
