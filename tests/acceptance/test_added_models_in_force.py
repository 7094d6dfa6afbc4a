"""DEC-46: which of a site's own models are in force: added, swapped, rolled back, removed beside a running service."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from cds_service.commands import checks
from cds_service.web.app import MODELS, RECORDS
from cds_service.web.deployments import StartError
from cds_service.web.settings import Settings
from models_onnx.added import shelf
from models_onnx.model_card import ModelError
from tests.acceptance.own_models import EXTENSION, NOT_VALIDATED, Apps, a_site, card, labs, line, prediction
from tests.acceptance.requests import a_request
from tests.conformance.conftest import a_tenant_file
from tests.models_onnx.added import graphs
from tests.models_onnx.added.test_shelf import accepting


def test_only_a_tenant_that_names_it_is_told(apps: Apps, site: Path, tmp_path: Path) -> None:
    members = {"environment": "dev", "clients": [], "client_jwt": "optional"}
    for names in ([], ["bleeding"]):
        tenants = a_tenant_file(tmp_path / f"t{len(names)}", added_models=names, **members)
        assert bool(line(card(apps(site, tenants=tenants)))) is bool(names)


def test_a_tenant_that_names_what_nobody_added_does_not_start(apps: Apps, site: Path, tmp_path: Path) -> None:
    tenants = a_tenant_file(tmp_path / "tenants", added_models=["bleeding", "other"])
    with pytest.raises(StartError, match="tenant general-hospital: added_models: no model other"):
        apps(site, tenants=tenants)
    told = {one.what: one for one in checks.run(Settings(tenants=tenants, site_models=site))}
    assert (told["tenants"].ok, "no model other" in told["tenants"].told) == (False, True)
    assert told["added models"].told == "bleeding 1.0.0 (not validated)"


def test_a_production_tenant_names_each_model(tmp_path: Path) -> None:
    from cds_service.tenants.tenant_files import TenantError, load

    with pytest.raises(TenantError, match=r"added_models: a production tenant names each model"):
        load(a_tenant_file(tmp_path / "one", added_models=["*"]))
    with pytest.raises(TenantError, match="added_models: at most 3"):
        load(a_tenant_file(tmp_path / "two", added_models=["a", "b", "c", "d"]))


def test_a_graph_that_was_swapped_stops_the_start(apps: Apps, site: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(site, changed)
    (changed / "bleeding/1.0.0/model.onnx").write_bytes(graphs.crossed())
    with pytest.raises(ModelError, match=r"bleeding/1\.0\.0/model\.onnx was changed"):
        apps(changed)
    told = {one.what: one for one in checks.run(Settings(demo=True, site_models=changed))}
    assert not told["added models"].ok


def test_what_is_added_rolled_back_or_removed_holds_in_the_running_worker(apps: Apps, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    app = apps(own)
    in_force = app.extensions[MODELS]
    body = json.dumps(a_request(labs=labs()))

    def again() -> str:
        told = app.test_client().post("/cds-services/surgical-risk", data=body, content_type="application/json").json
        return line(told["cards"][0])

    def ready() -> list[str]:
        assert in_force.refresh()
        added: list[str] = app.test_client().get("/ready").json["added"]
        return added

    assert again() == ""
    shelf.add(own, graphs.folder(tmp_path / "one", graphs.logistic()), accepting())
    assert ready() == ["bleeding 1.0.0"]
    first = again()
    shelf.add(own, graphs.folder(tmp_path / "two", graphs.crossed(), version="1.1.0"), accepting())
    assert ready() == ["bleeding 1.1.0"]
    assert again() not in ("", first)
    shelf.rollback(own, "bleeding", accepting())
    assert ready() == ["bleeding 1.0.0"]
    assert again() == first
    (own / "bleeding/1.0.0/model.onnx").write_bytes(graphs.crossed())
    (own / "manifest.json").touch()
    assert not in_force.refresh()
    assert "was changed" in app.test_client().get("/ready").json["modelsRefused"]
    assert again() == first
    shelf.remove(own, "bleeding", accepting())
    assert ready() == []
    assert again() == ""


def test_a_card_says_that_a_model_which_its_tenant_names_was_removed(apps: Apps, tmp_path: Path) -> None:
    own = a_site(tmp_path)
    tenants = a_tenant_file(
        tmp_path / "tenants", added_models=["bleeding"], environment="dev", clients=[], client_jwt="optional"
    )
    app = apps(own, tenants=tenants)
    shelf.remove(own, "bleeding", accepting())
    assert app.extensions[MODELS].refresh()
    assert line(card(app)) == f"**{NOT_VALIDATED}:** bleeding not computed: removed by this site."


def test_the_record_holds_what_it_said(apps: Apps, site: Path) -> None:
    app = apps(site)
    told = card(app)
    kept = app.extensions[RECORDS].evaluation(told["extension"][EXTENSION]["assessmentId"])
    own = [one for one in kept.models if one["model"] == "bleeding"]
    assert [(one["state"], one["version"], one["probability"]) for one in own] == [
        ("added", "1.0.0", prediction(told)["probability"])
    ]
