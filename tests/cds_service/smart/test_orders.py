"""Orders of the chart that a profile could be about: what was not read is never "no open order"."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from cds_service.smart import orders
from cds_service.smart.faults import EhrError, LaunchError
from cds_service.smart.launch import Granted
from cds_service.tenant_runtime import open_tenant
from cds_service.tenants.tenant_files import demo_tenant
from cds_service.trust.outbound import OutboundError
from cds_service.trust.replies import Reply
from cds_service.trust.secret import Secret

AS_OF = datetime(2026, 11, 20, 9, tzinfo=UTC)
GRANTED = Granted(issuer="http://127.0.0.1:9/r4", patient_id="pt-1", token=Secret("x"))
OVER = {"resourceType": "ServiceRequest", "id": "o", "status": "completed", "intent": "order"}
NEXT = [{"relation": "next", "url": "http://127.0.0.1:9/r4/2"}]


class Chart:
    """A FHIR server that answers every search alike, or not at all."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def get(self, _url: str, **_: Any) -> Reply:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer if isinstance(self.answer, Reply) else Reply(200, {}, msgspec.json.encode(self.answer))


def asked(answer: Any) -> object:
    site = msgspec.structs.replace(open_tenant(demo_tenant("http://127.0.0.1:8000")), fhir=Chart(answer))
    return orders.considered(GRANTED, None, site, AS_OF)


@pytest.mark.parametrize(
    "answer",
    [
        OutboundError("no-answer"),
        Reply(401, {}, b"{}"),
        Reply(403, {}, b"{}"),
        Reply(500, {}, b"{}"),
        Reply(204, {}, b""),
        Reply(200, {}, b"<html>"),
        {"resourceType": "OperationOutcome"},
        [],
        {"resourceType": "Bundle", "entry": [{"resource": OVER}], "link": NEXT},
    ],
)
def test_what_was_not_read_is_not_told_as_no_order(answer: Any) -> None:
    with pytest.raises(EhrError) as error:
        asked(answer)
    assert error.value.why == "orders-unread"


def test_a_chart_that_was_read_whole_and_holds_none_says_so() -> None:
    with pytest.raises(LaunchError) as error:
        asked({"resourceType": "Bundle", "entry": [{"resource": OVER}]})
    assert error.value.why == "no-operation"
