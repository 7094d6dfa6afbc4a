"""A secret in a file is the setting, and no error, log or page tells it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from cds_service.commands.cli import main
from cds_service.trust.secret_text import from_file
from cds_service.web import environment, secret_files
from cds_service.web.settings import Settings

SECRET = "a secret of more than thirty-two characters"


def named(variable: str, folder: Path, text: str = SECRET) -> dict[str, str]:
    file = folder / "secret"
    file.write_text(f"{text}\n", encoding="utf-8")
    return {f"{variable}_FILE": str(file)}


@pytest.mark.parametrize("field", secret_files.SECRETS)
def test_every_secret_may_stand_in_a_file(field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in named(secret_files.SECRETS[field], tmp_path).items():
        monkeypatch.setenv(variable, value)
    value = getattr(Settings(), field)
    assert (value if isinstance(value, str) else value.get_secret_value()) == SECRET


def test_every_setting_that_hides_its_value_may_stand_in_a_file() -> None:
    hidden = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert hidden | {"database_url"} == set(secret_files.SECRETS)


def test_a_file_and_a_variable_for_one_setting_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in named("CDS_SESSION_KEY", tmp_path).items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("CDS_SESSION_KEY", SECRET)
    with pytest.raises(ValueError, match="both set") as raised:
        Settings()
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"  \n", b"\xff\xfe", None])
def test_a_file_that_is_empty_or_not_there_is_told_without_its_text(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValueError, match=r"CDS_SESSION_KEY_FILE: .* (is empty|cannot be read)"):
        from_file("CDS_SESSION_KEY", {"CDS_SESSION_KEY_FILE": str(file)})


def test_the_variables_that_name_files_are_known() -> None:
    assert {"CDS_SESSION_KEY_FILE", "CDS_SESSION_KEY_OTHER_FILE"} <= set(environment.names())


def test_a_command_reads_the_url_of_its_database_from_the_file_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    for variable, value in named("DATABASE_URL", tmp_path, f"sqlite:///{tmp_path}/own.sqlite3").items():
        monkeypatch.setenv(variable, value)
    result = CliRunner().invoke(main, ["record", "migrate"])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "own.sqlite3").exists()
    assert not (tmp_path / "surgical-risk.sqlite3").exists()
