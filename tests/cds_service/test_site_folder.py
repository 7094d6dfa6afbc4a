"""What does not fit in a site's folder stops the start by file and line; nothing that is known changes its meaning."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from cds_service import site_folder, tenant_runtime
from cds_service.commands.cli import main
from cds_service.tenants import tenant_files
from fhir_mappings.terminology.value_sets import STANDARD
from models_onnx.data_files import DataFileError
from tests.cds_service.test_your_own_codes import files, written

CODES = "codes:\n- ideas: [{ideas}]\n  system: {system}\n  codes: [{code!r}]\n  source: board\n{more}"
SNOMED_URI, ICD = "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10-cm"


def codes(ideas: str, code: str, system: str = SNOMED_URI, more: str = "") -> str:
    return CODES.format(ideas=ideas, code=code, system=system, more=more)


def changed(name: str, old: str, new: str) -> str:
    text = files()[f"tenants/site/{name}"]
    assert old in text
    return text.replace(old, new)


ROW, VALUE = "rows/thyroid.yaml", "laboratory.yaml"
REFUSED = {
    "a code that means something else": ({"codes": codes("copd", "84114007")}, "codes.yaml:2: 84114007 already means"),
    "one more meaning of a known code": ({"codes": codes("heart-failure, copd", "84114007")}, "already means"),
    "a code reviewed as of no idea": ({"codes": codes("copd", "{reviewed}")}, "already means nothing that matters"),
    "an ICD code of no idea": ({"codes": codes("copd", "K35.80", ICD)}, "already means nothing that matters"),
    "a wrong check digit": ({"codes": codes("copd", "82523004")}, "codes.yaml:2: '82523004' is no code of"),
    "an idea that is none": ({"codes": codes("copdd", "82523003")}, "codes.yaml:2: there is no idea copdd"),
    "a system of the site": ({"codes": codes("copd", "X1", "urn:site")}, "map them with a ConceptMap"),
    "a medicine": ({"codes": codes("copd", "1191", "http://www.nlm.nih.gov/research/umls/rxnorm")}, "ConceptMap"),
    "an unknown member": ({"codes": codes("copd", "82523003", more="  colour: red\n")}, "codes.yaml:6: "),
    "a value that is read already": (
        {"laboratory": changed(VALUE, "name: thyrotropin", "name: creatinine")},
        "read already",
    ),
    "a known LOINC code": (
        {"laboratory": changed(VALUE, "code: 3016-3", "code: 2160-0")},
        "2160-0 already means creatinine",
    ),
    "a unit that is none": (
        {"laboratory": changed(VALUE, "unit: m[IU]/L", "unit: blob")},
        "laboratory.yaml:7: 'blob' is no",
    ),
    "limits that do not rise": (
        {"laboratory": changed(VALUE, "[0.001, 500]", "[500, 1]")},
        "laboratory.yaml:10: two numbers",
    ),
    "usual beyond possible": ({"laboratory": changed(VALUE, "[0.01, 150]", "[0.01, 501]")}, "laboratory.yaml:11: "),
    "no window": ({"laboratory": changed(VALUE, "lookback_days: 180", "lookback_days: 0")}, "laboratory.yaml:9: "),
    "a unit that UCUM converts": (
        {"laboratory": changed(VALUE, 'unit: m[IU]/L\n  units: {"u[IU]/mL": 1}', 'unit: ng/mL\n  units: {"ug/L": 2}')},
        "converted already",
    ),
    "a unit text that is known": ({"units": "units:\n- {text: mg/dL, means: g/L}\n"}, "units.yaml:2: 'mg/dL' is known"),
    "a unit that nobody takes": ({"units": "units:\n- {text: foo, means: kPa}\n"}, "units.yaml:2: "),
    "a feature that nobody finds": ({"rows": changed(ROW, "feature: thyrotropin", "feature: tsh")}, "thyroid.yaml:9: "),
    "a diagnosis that nobody finds": (
        {"rows": changed(ROW, "operation: major", "diagnosis: thyroid")},
        "diagnosis thyroid: there",
    ),
    "an order that cannot be drafted": (
        {"rows": changed(ROW, "orders: [endo", "orders: [x-endo")},
        "nothing that can be ordered",
    ),
    "an opener on local evidence": (
        {"rows": changed(ROW, "grade: local", "grade: consensus\n  opens: true\n  acts: true")},
        "grade recommended",
    ),
    "an id of ours": (
        {"rows": changed(ROW, "id: thyroid-clinic", "id: ferritin")},
        "thyroid.yaml:9: ferritin: there is a row",
    ),
    "markup": (
        {"rows": changed(ROW, "a referral to the thyroid clinic", "a *bold* clinic")},
        "without markup or a link",
    ),
    "no citation": (
        {"rows": re.sub(r"citation: .*", "citation: ''", files()[f"tenants/site/{ROW}"])},
        "must not be empty",
    ),
    "a misspelt file": ({"laboratry.yaml": "laboratory: []"}, "laboratry.yaml:1: nobody reads this"),
    "a misspelt row file": ({"rows/more.yml": "x"}, "more.yml:1: nobody reads this"),
    "no YAML": ({"codes": "codes: ["}, "codes.yaml:"),
    "another shape": ({"laboratory": "- a"}, "laboratory.yaml:1: "),
}


def a_reviewed_code() -> str:
    from fhir_mappings.terminology.reviewed_codes import REVIEWED

    return min(code for system, code in REVIEWED if system == SNOMED_URI and not STANDARD.containing(system, code))


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_stops_the_start_by_file_and_line(tmp_path: Path, name: str) -> None:
    others, says = REFUSED[name]
    others = {of: text.replace("{reviewed}", a_reviewed_code()) for of, text in others.items()}
    folder = written(tmp_path, **others)
    told = CliRunner().invoke(main, ["check", "--tenants", str(folder)])
    (line,) = [line for line in told.stdout.splitlines() if line.startswith("FAIL")]
    assert (told.exit_code, says in line, str(folder) in line) == (1, True, True), line
    assert re.search(r"\.(yaml|yml):\d+: ", line), line


def test_a_code_moves_only_where_it_says_so_and_check_warns_of_it(tmp_path: Path) -> None:
    moved = codes("copd, charlson-pulmonary-disease", "84114007", more="  replaces: true\n")
    folder = written(tmp_path, codes=moved)
    told = CliRunner().invoke(main, ["check", "--tenants", str(folder)])
    before = ", ".join(STANDARD.containing(SNOMED_URI, "84114007"))
    warning = (
        f"WARN  site folder: 84114007 means copd, charlson-pulmonary-disease here, and no longer {before} (example)"
    )
    assert (told.exit_code, warning in told.stdout.splitlines()) == (0, True), told.stdout
    (tenant,) = tenant_files.load(folder)
    sets = tenant_runtime.open_tenant(tenant).value_sets
    assert sets.containing(SNOMED_URI, "84114007") == ("charlson-pulmonary-disease", "copd")


def test_nothing_that_is_known_changes_its_meaning_by_what_is_added(tmp_path: Path) -> None:
    (tenant,) = tenant_files.load(written(tmp_path))
    sets = tenant_runtime.open_tenant(tenant).value_sets
    known = {
        (rule.system, rule.value) for one in STANDARD.by_id.values() for rule in one.includes if rule.kind == "code"
    }
    assert [pair for pair in known if sets.containing(*pair) != STANDARD.containing(*pair)] == []


def test_a_folder_that_goes_while_it_is_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="no such file or directory"):
        site_folder.read_folder(tmp_path / "none")


def test_a_tenant_whose_folder_is_not_there_is_refused_by_line(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(files()["tenants/example.yaml"], encoding="utf-8")
    with pytest.raises(tenant_files.TenantError, match=r"t\.yaml:5: site_folder: there is no folder"):
        tenant_files.load(tmp_path)


def test_two_tenants_of_one_process_do_not_share_what_one_added(tmp_path: Path) -> None:
    folder = written(tmp_path)
    other = files()["tenants/example.yaml"].replace("id: example", "id: other").replace("site_folder: site\n", "")
    (folder / "other.yaml").write_text(other, encoding="utf-8")
    with_it, without = (tenant_runtime.open_tenant(one) for one in tenant_files.load(folder))
    assert "3016-3" in with_it.templates["labs"]
    assert "3016-3" not in without.templates["labs"]
    assert {row.id for row in with_it.advising.catalogue.rows} - {
        row.id for row in without.advising.catalogue.rows
    } == {"thyroid-clinic"}
