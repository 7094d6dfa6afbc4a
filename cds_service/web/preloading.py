"""What every worker needs and none changes, loaded once before they are forked: they share its memory.

Code, tables and templates only. No model is opened here (models_onnx/sessions.py), no database is asked, no thread
started: those do not survive a fork.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib

from cds_service.web.settings import Settings

_M_ARENA_MAX = -8  # mallopt(3) of GNU's C library
# What create_app imports only where it is wanted.
_OF_THE_DEMO = ("sandbox", "sealed", "sign_in")


def load(settings: Settings) -> None:
    """Import the application and make what is made once; then keep the collector from touching any of it."""
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
    gc.collect()
    gc.freeze()


def _share_one_heap() -> None:
    """One heap for all threads, which take turns in Python anyway: each would keep the peak of a heap of its own."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
