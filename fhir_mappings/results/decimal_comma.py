"""Numbers in texts as a site with a decimal comma writes them: "7,2 %" is 7.2; "1.234" may be 1234 and is refused."""

from __future__ import annotations

import re

from msgspec.structs import replace

from fhir_mappings.fhir.resources import Component, Observation

_LONGEST = 128  # characters; a number with its unit is shorter
# An optional comparator, the number, and whatever follows: quantities.read then takes it or refuses it.
_COMMA = re.compile(r"((?:<=|>=|<|>)?\s{0,9})([0-9]{1,9}),([0-9]{1,9})(?![0-9.,])(.*)\Z", re.DOTALL)
_GROUPED = re.compile(r"(?:<=|>=|<|>)?\s{0,9}[0-9]{1,3}(?:\.[0-9]{3})+(?![0-9])")


def rewritten(observation: Observation) -> Observation:
    """The Observation with the numbers of its texts, and of its components', written with a point."""
    text = number_with_point(observation.value_string)
    parts = tuple(map(_component, observation.component))
    if text == observation.value_string and parts == observation.component:
        return observation
    return replace(observation, value_string=text, component=parts)


def _component(component: Component) -> Component:
    text = number_with_point(component.value_string)
    return component if text == component.value_string else replace(component, value_string=text)


def number_with_point(text: str | None) -> str | None:
    """The text with a point for its decimal comma. What could be thousands becomes words, which no input takes."""
    stripped = text.strip() if text else ""
    if not stripped or len(stripped) > _LONGEST:
        return text
    if match := _COMMA.match(stripped):
        return f"{match[1]}{match[2]}.{match[3]}{match[4]}"
    return f"ambiguous {text}" if _GROUPED.match(stripped) else text
