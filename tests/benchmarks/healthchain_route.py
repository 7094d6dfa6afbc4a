"""HealthChain's own CDS Hooks service behind its own HTTP server; run in its environment, as `python FILE HOST:PORT`.

Below /cds-services it answers a constant, as tests/benchmarks/parsing_route.py does; below /read it first makes FHIR
objects of what was prefetched, as its adapter does for every pipeline, and tells how many results there are.
"""

import logging
import sys

import uvicorn
from healthchain.gateway import CDSHooksService, HealthChainAPI
from healthchain.gateway.cds import CDSHooksConfig
from healthchain.io import CdsFhirAdapter
from healthchain.models.requests.cdsrequest import CDSRequest
from healthchain.models.responses.cdsresponse import Card, CDSResponse, Source

app = HealthChainAPI()
for path, reads in (("/cds-services", False), ("/read", True)):
    service = CDSHooksService(
        CDSHooksConfig(base_path="", discovery_path=path, service_path=path, allowed_hooks=["order-select"])
    )

    def advise(request: CDSRequest, reads: bool = reads) -> CDSResponse:
        if not reads:
            return CDSResponse(cards=[])
        labs = CdsFhirAdapter().parse(request).fhir.prefetch_resources["labs"]
        source = Source(label="HealthChain")
        return CDSResponse(cards=[Card(summary=f"{len(labs.entry)} results", indicator="info", source=source)])

    service.hook("order-select", id="surgical-risk")(advise)
    app.register_service(service, path="")

if __name__ == "__main__":
    logging.disable(logging.WARNING)
    host, _, port = sys.argv[1].rpartition(":")
    uvicorn.run(app, host=host, port=int(port), log_level="error", access_log=False)
