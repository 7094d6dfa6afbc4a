"""With a key configured no folder of models is served but one whose manifest that key signed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from cds_service.answering import model_signature
from cds_service.answering.models_in_force import ModelsInForce, open_models
from cds_service.commands.cli import main
from cds_service.ehr import client_token
from cds_service.patient_data.fhir_client import FhirClient
from cds_service.web.app import create_app
from cds_service.web.settings import Settings
from models_onnx import manifest
from models_onnx.model_card import ModelError
from models_onnx.registry import PACKAGE


def run(*words: str) -> str:
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ignored = shutil.ignore_patterns("training", "added", "documents", "*.py", "__pycache__")
    return Path(shutil.copytree(PACKAGE, tmp_path / "models", ignore=ignored))


@pytest.fixture
def key(tmp_path: Path) -> Path:
    public = tmp_path / "public.json"
    public.write_text(run("models", "sign", "--new-key", "--key", str(tmp_path / "private.json")))
    return public


@pytest.fixture
def signed(folder: Path, key: Path, tmp_path: Path) -> Path:
    run("models", "sign", "--key", str(tmp_path / "private.json"), "--models", str(folder))
    return folder


def test_a_signed_folder_is_served_and_verified(signed: Path, key: Path) -> None:
    open_models(signed, class_b=False, key=key)
    assert "manifest signed by public.json" in run("models", "verify", "--models", str(signed), "--key", str(key))


def test_without_a_key_a_signature_is_not_asked_for(folder: Path) -> None:
    open_models(folder, class_b=False)


def unsigned(folder: Path) -> None:
    (folder / model_signature.NAME).unlink()


def listed_anew(folder: Path) -> None:
    """What whoever may write the folder does: a figure changed, and the list made to agree."""
    path = folder / "peers.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    manifest.write(folder)


def of_another_key(folder: Path) -> None:
    other = client_token.new_key(folder.parent / "other.json", "RS384")
    model_signature.sign(folder, other.key, algorithm=other.algorithm, kid=other.kid)


def of_no_algorithm(folder: Path) -> None:
    path = folder / model_signature.NAME
    path.write_text("eyJhbGciOiJub25lIn0." + path.read_text().split(".")[1] + ".")


def garbage(folder: Path) -> None:
    (folder / model_signature.NAME).write_bytes(b"\xff\x00..")


def endless(folder: Path) -> None:
    (folder / model_signature.NAME).write_bytes(b"a" * 2_000_000)


@pytest.mark.parametrize("change", [unsigned, listed_anew, of_another_key, of_no_algorithm, garbage, endless])
def test_any_other_folder_is_refused_at_the_start_and_keeps_the_old_at_a_reload(
    signed: Path, key: Path, change: Callable[[Path], None], tmp_path: Path
) -> None:
    running = ModelsInForce(signed, class_b=False, fhir=FhirClient(threads=5), key=key)
    before = running.models
    change(signed)
    (signed / "registry.yaml").touch()
    assert running.refresh() is False
    assert running.models is before
    assert model_signature.NAME in str(running.status.refused)
    database = f"sqlite:///{tmp_path}/r.sqlite3"
    with pytest.raises(ModelError, match=r"manifest\.sig"):
        create_app(Settings(demo=True, models=signed, models_key=key, database_url=database, state_directory=tmp_path))


def test_what_is_not_as_listed_is_not_signed(folder: Path, tmp_path: Path) -> None:
    (folder / "peers.yaml").write_text("changed", encoding="utf-8")
    signer = client_token.new_key(tmp_path / "k.json", "ES384")
    with pytest.raises(ModelError, match=r"peers\.yaml was changed"):
        model_signature.sign(folder, signer.key, algorithm=signer.algorithm, kid=signer.kid)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"kty": "oct", "k": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}', "absent", "private"]
)
def test_a_key_that_is_none_stops_the_start(text: str, signed: Path, tmp_path: Path) -> None:
    path = tmp_path / "given.json"
    if text == "private":
        path = tmp_path / "private.json"
        assert "d" in json.loads(path.read_text())
    elif text != "absent":
        path.write_text(text)
    with pytest.raises(ModelError):
        model_signature.check(signed, path)
