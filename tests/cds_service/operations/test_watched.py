"""What an operator watches beside answers: entries that were not understood, and when a client's keys were last had."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cds_service.operations import metrics
from cds_service.trust.key_set import KeySet, KeysUnobtainableError
from tests.acceptance.requests import a_condition, a_request, bundle
from tests.cds_service.answering.test_calls import ask
from tests.cds_service.trust.listener import listening
from tests.cds_service.trust.signing import NOW, a_client, a_tenant, public
from tests.cds_service.trust.test_key_set import Published
from tests.conformance.conftest import a_tenant_file, an_app


def samples(metric: Any) -> dict[tuple[str, ...], float]:
    (family,) = metric.collect()
    return {tuple(one.labels.values()): one.value for one in family.samples if not one.name.endswith("_created")}


def test_entries_that_were_not_understood_are_counted_by_their_list(tmp_path: Path) -> None:
    app = an_app(tmp_path, tenants=a_tenant_file(tmp_path / "tenants"))
    before = samples(metrics.unread_entries)
    conditions = bundle(a_condition("X1", system="urn:site"), a_condition("X2", system="urn:site"), a_condition("I10"))
    assert ask(app, a_request(conditions=conditions)).status_code == 200
    after = samples(metrics.unread_entries)
    assert {key: after[key] - before.get(key, 0) for key in after} == {("general-hospital", "conditions"): 2}


def test_the_time_of_the_last_good_keys_stays_while_they_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KeySet, "counted", metrics.count_keys)
    published = Published(public("ES384"))
    with listening(published) as server:
        client = a_client(jwks_url=server.url("/jwks.json"))
        keys, of = KeySet(client, a_tenant(client, environment="dev")), (a_tenant(client).id, client.issuer)
        assert keys.find("key-ES384", "ES384", now=NOW) is not None
        assert samples(metrics.keys_read)[of] == NOW
        published.status = 503
        with pytest.raises(KeysUnobtainableError):
            keys.find("another", "ES384", now=NOW + 4000)
        assert samples(metrics.keys_read)[of] == NOW
