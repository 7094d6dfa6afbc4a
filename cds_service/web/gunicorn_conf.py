"""gunicorn's settings, each with its reason."""

from __future__ import annotations

import gc
from typing import Any

# Threads wait for FHIR servers while others compute; gevent's tail was 10 times longer (docs/performance.md). This is
# gthread, but slow clients wait in its main loop and hold no thread.
worker_class = "cds_service.web.http_worker.HeadFirstWorker"
# gunicorn 27 opens a control socket in the home directory unless told not to; nobody uses it here.
control_socket_disable = True
# No preload: onnxruntime sessions created before the fork can crash in the child.
preload_app = False
# An EHR gives up within seconds; a worker that has not answered by then is stuck.
timeout = 30
# Last answers (http_worker.LAST_ANSWERS_S), then the queue of the record; Kubernetes kills after 30 s by default.
graceful_timeout = 20
keepalive = 30
accesslog = None
logger_class = "cds_service.web.gunicorn_log.JsonLogger"
# gunicorn would take SCRIPT_NAME and PATH_INFO from headers of a proxy on the same machine: nobody needs it here, and a
# client behind that proxy could write them.
forwarder_headers = ""


def worker_exit(server: Any, worker: Any) -> None:  # noqa: ARG001
    """Write what the record still holds in its queue, and send the spans that wait."""
    from cds_service.web.app import MODELS, RECORDS, RECOVERY, RETRIES, STATE, TENANTS, TRACING  # noqa: PLC0415 — this file is read before the application exists

    if callable(getattr(worker, "wsgi", None)) and MODELS in worker.wsgi.extensions:
        worker.wsgi.extensions[MODELS].close()
        if (tenants := worker.wsgi.extensions[TENANTS]) is not None:
            tenants.close()
        worker.wsgi.extensions[RETRIES].close()
        worker.wsgi.extensions[STATE].close()
        worker.wsgi.extensions[RECOVERY].close()
        worker.wsgi.extensions[RECORDS].close()
        if (tracing := worker.wsgi.extensions[TRACING]) is not None:
            tracing.close()


def child_exit(server: Any, worker: Any) -> None:  # noqa: ARG001
    """The counts of a worker outlive it; one that the arbiter had to end for not answering is counted here."""
    from cds_service.operations import metrics  # noqa: PLC0415

    if worker.aborted:
        metrics.worker_timeouts.inc()
    metrics.forget_worker(worker.pid)


def post_worker_init(worker: Any) -> None:
    """Everything that lives as long as the worker is now built: keep the collector from walking it again.

    The first FHIR resource written imports its library, which no first answer should wait for (N-04).
    """
    from cds_service.web.app import MODELS, RECORDS, RECOVERY, RETRIES, STATE, TENANTS  # noqa: PLC0415 — this file is read by the arbiter too
    from fhir_mappings.orders import draft_orders  # noqa: PLC0415
    from fhir_mappings.writing import draft_resources  # noqa: PLC0415

    draft_resources.operation_outcome(severity="information", code="informational", text="The service is ready.")
    draft_orders.prepare()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    if (models := worker.wsgi.extensions.get(MODELS)) is not None:  # a route that speed is measured beside has none
        models.watch()
        worker.wsgi.extensions[RETRIES].watch()
        worker.wsgi.extensions[STATE].start()
        worker.wsgi.extensions[RECORDS].watch()
        worker.wsgi.extensions[RECOVERY].watch()
        if (tenants := worker.wsgi.extensions[TENANTS]) is not None:
            tenants.watch()
