"""A variable of ours that nobody reads stops the start, by the nearest name that is read."""

from __future__ import annotations

import pytest

from cds_service.web import environment
from cds_service.web.environment import EnvironmentVariableError


@pytest.mark.parametrize("name", environment.names())
def test_what_is_read_is_known_and_every_misspelling_of_it_is_not(name: str) -> None:
    assert environment.check({name: "x"}) == "1 variables CDS_…, all known"
    assert environment.check({name.lower(): "x"})  # the settings do not look at case
    for wrong in (f"{name}S", name[:-1], name[:-2] + name[:-3:-1]):
        if wrong != name and wrong not in environment.names():
            with pytest.raises(EnvironmentVariableError, match=rf"^{wrong} is no setting: did you mean CDS_\w+\?$"):
                environment.check({wrong: "x"})


def test_an_open_discovery_by_a_misspelling_is_refused() -> None:
    with pytest.raises(
        EnvironmentVariableError, match="CDS_DISCOVERY_AUHT is no setting: did you mean CDS_DISCOVERY_A"
    ):
        environment.check({"CDS_DISCOVERY_AUHT": "required", "PATH": "/bin"})


def test_the_token_of_a_tenants_terminology_server_may_be_called_so() -> None:
    with pytest.raises(EnvironmentVariableError):
        environment.check({"CDS_EAST_TOKEN": "x"})
    assert environment.check({"CDS_EAST_TOKEN": "x"}, also=["CDS_EAST_TOKEN"])


def test_what_kubernetes_sets_for_a_service_of_that_name_is_nobodys() -> None:
    links = {
        "CDS_SERVICE_HOST": "10.0.0.1",
        "CDS_SERVICE_PORT": "8000",
        "CDS_SERVICE_PORT_HTTP": "8000",
        "CDS_PORT": "tcp://10.0.0.1:8000",
        "CDS_PORT_8000_TCP": "tcp://10.0.0.1:8000",
        "CDS_PORT_8000_TCP_ADDR": "10.0.0.1",
    }
    assert environment.check(links)
    with pytest.raises(EnvironmentVariableError, match="CDS_PORT is no setting"):
        environment.check({"CDS_PORT": "8000"})
