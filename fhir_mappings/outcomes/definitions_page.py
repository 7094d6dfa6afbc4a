"""`python -m fhir_mappings.outcomes.definitions_page` writes the definitions into docs/outcomes.md from their YAML."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fhir_mappings.outcomes.derived import WORDS
from fhir_mappings.outcomes.outcome_definitions import DEFINITIONS, OutcomeCodes, OutcomeDefinition, not_derived

PAGE = Path(__file__).parents[2] / "docs" / "outcomes.md"
BEGINS, ENDS = "<!-- made by fhir_mappings.outcomes.definitions_page -->", "<!-- end of what is made -->"
_SCOPES = {"model": "of a model", "site": "of the site"}


def made() -> str:
    """What the page says of every definition, reason and outcome that is not derived."""
    parts = [
        "| outcome | of whom | days | what counts |\n|--|--|--|--|",
        *(f"| `{one.name}` | {_SCOPES[one.scope]} | {one.horizon_days} | {one.definition} |" for one in DEFINITIONS),
        "\n## Where each definition comes from\n",
        *(line for one in DEFINITIONS for line in _sources(one)),
        "## Not derived\n",
        *(f"- `{one.name}`: {one.why}" for one in not_derived()),
        "\n## Why an answer is what it is\n",
        "| reason | in words |\n|--|--|",
        *(f"| `{reason}` | {words} |" for reason, words in WORDS.items()),
    ]
    return "\n".join(parts)


def _sources(of: OutcomeDefinition) -> Iterator[str]:
    yield f"### {of.title}\n"
    yield f"`{of.name}`. {of.source.rstrip('.')}.\n"
    lists = (
        ("It", (*of.diagnoses, *of.postoperative, *of.procedures)),
        ("Could be it, so neither yes nor no", (*of.could_be, *of.procedures_could_be)),
    )
    if any(codes for _, codes in lists) or of.value_sets:
        yield "| what the codes are | system | codes | source |\n|--|--|--|--|"
        for words, codes in lists:
            yield from (_row(words, one) for one in codes)
        yield from (f"| It | the value set | `{name}` | its file in `value_sets/` |" for name in of.value_sets)
        yield ""
    if of.near:
        yield f"SNOMED CT codes of these ideas could be it: {', '.join(f'`{name}`' for name in of.near)}.\n"
    yield f"**Not seen:** {of.unseen}\n"


def _row(words: str, of: OutcomeCodes) -> str:
    day = f", from day {of.from_day}" if of.from_day else ""
    return f"| {words}{day} | {of.system} | {' '.join(of.codes)} | {of.source} |"


def with_definitions(page: str) -> str:
    """The page with what is made between its two marks."""
    before, _, rest = page.partition(BEGINS)
    return f"{before}{BEGINS}\n\n{made()}\n\n{ENDS}{rest.partition(ENDS)[2]}"


def main() -> None:
    """Write the page anew."""
    PAGE.write_text(with_definitions(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
