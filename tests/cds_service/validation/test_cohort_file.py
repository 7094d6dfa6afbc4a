"""A site's file of groups: what is wrong is told by its line, and nothing is taken silently."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.validation import cohort_file
from cds_service.validation.cohort_file import CohortFileError
from tests.cds_service.validation.conftest import validates

HEAD = "evaluation_id,language\n"


def test_what_a_spreadsheet_writes_is_read() -> None:
    content = "\ufeffEvaluation_ID, Language ,note\r\ne1, Spanish ,x\r\n\r\ne2,,y\r\n".encode()
    assert cohort_file.cohorts(content) == {"e1": {"language": "Spanish"}, "e2": {}}


@pytest.mark.parametrize(
    ("content", "line", "told"),
    [
        (f"{HEAD}e1,a\ne1,b\n", 3, "stands in an earlier line"),
        (f"{HEAD}e1,a\n,b\n", 3, "is empty"),
        (f"{HEAD}e1\n", 2, "2 columns"),
        (f'{HEAD}e1,"a\n', 2, "not readable as CSV"),
        ("evaluation_id;language\ne1;a\n", 1, "commas"),
        ("", 1, "needs evaluation_id"),
        ("evaluation_id,language,language\n", 1, "each once"),
        (f"{HEAD}e1,{'x' * 65}\n", 2, "at most 64"),
        (f"{HEAD}e1,a\x00b\n", 2, "printable"),
        (f"{HEAD}e1,a\ne2,\u00e4\n".encode("latin-1"), 3, "UTF-8"),
        (HEAD + "".join(f"e{n},Mrs. Jones {n}\n" for n in range(60)), 52, "more than 50 different values"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_without_its_value(content: str | bytes, line: int, told: str) -> None:
    with pytest.raises(CohortFileError) as error:
        cohort_file.cohorts(content if isinstance(content, bytes) else content.encode())
    assert str(error.value).startswith(f"line {line}, ")
    assert told in str(error.value)
    assert "Jones" not in str(error.value)


def test_no_more_of_a_file_is_read_than_a_file_may_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    content = f"{HEAD}e1,a\n".encode()
    monkeypatch.setattr(cohort_file, "MOST_BYTES", len(content))
    assert cohort_file.cohorts(content) == {"e1": {"language": "a"}}
    with pytest.raises(CohortFileError, match="a file of at most"):
        cohort_file.cohorts(content + b"\n")


def test_a_file_about_other_operations_is_refused_and_one_about_some_says_how_many(
    hospital: Path, tmp_path: Path
) -> None:
    path = tmp_path / "cohorts.csv"
    path.write_text(f"{HEAD}somebody,Spanish\n", encoding="utf-8")
    done = validates(hospital, tmp_path / "out", "--cohorts", str(path))
    assert (done.exit_code, f"{path}: line 2" in done.output) == (1, True)
    assert not (tmp_path / "out").exists()
