"""What has to hold of an answer to a mutated request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from fhir_mappings.features.features import FEATURES
from tests.acceptance.mutations_invalid import ANOTHER_PATIENT, Done, Target

Json = dict[str, Any]
EXTENSION, SILENCE = "io.surgical-risk.assessment", "io.surgical-risk.silence"
_LISTS_OF_DISEASES = ("conditions", "medications", "procedures")
_ABSENT = (False, "none", 0)
_SUMS = ("hfrs_points",)  # a sum over every code of an entry: part of it may be read


class Answer(Struct):
    """The status and body of a response."""

    status: int
    body: Json

    @property
    def result(self) -> Json:
        """The discrete result; empty where no card was given."""
        cards = self.body.get("cards") or [{}]
        found: Json = cards[0].get("extension", {}).get(EXTENSION, {})
        return found

    @property
    def silence(self) -> Any:
        """Why nothing is said."""
        return self.body.get("extension", {}).get(SILENCE, {}).get("reason")

    @property
    def inputs(self) -> dict[str, Json]:
        return {one["name"]: one for one in self.result.get("inputs", ())}

    @property
    def used(self) -> dict[str, Any]:
        """The value of each input that has one."""
        return {name: one.get("value") for name, one in self.inputs.items() if one["status"].startswith("used")}

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """By model from where to where its probability or its points lie."""
        found = {}
        for one in self.result.get("predictions", ()):
            if one["status"] == "computed":
                found[one["model"]] = (one["probability"], one["probability"])
            elif one["status"] == "score-only":
                found[one["model"]] = (one["points"], one["points"])
            elif one["status"] == "range":
                ends = one.get("pointsRange") or one["missingRange"]
                found[one["model"]] = (ends["low"], ends["high"])
        return found


def _near(one: Any, other: Any, within: float) -> bool:
    if isinstance(one, float | int) and isinstance(other, float | int):
        return (type(one) is type(other) is bool and one == other) or abs(one - other) <= within * max(1, abs(one))
    return bool(one == other)


def differences(
    plain: Answer, now: Answer, *, strict: bool = False, figures: bool = True, within: float = 2e-6
) -> Iterator[str]:
    """Inputs and figures that are not the same; `strict`: not even another reason, source or flag.

    `within`: how far an input's value may lie from the other; what is told has two decimals.
    """
    if (plain.status, plain.silence) != (now.status, now.silence):
        yield f"{plain.status} {plain.silence} became {now.status} {now.silence}"
        return
    for name, one in plain.inputs.items():
        other = now.inputs[name]
        members = ("status", "value", "reason", *(("source", "flags") if strict else ()))
        for member in members:
            had, has = one.get(member), other.get(member)
            if member == "status" and not strict:
                had, has = str(had).removesuffix("-with-conversion"), str(has).removesuffix("-with-conversion")
            if not _near(had, has, 0.0 if strict else within):
                yield f"{name}: {member} {had} became {has}"
    for model in plain.ranges.keys() | now.ranges.keys() if figures else ():
        had_range, has_range = plain.ranges.get(model), now.ranges.get(model)
        if had_range is None or has_range is None or not all(map(lambda a, b: _near(a, b, 1e-6), had_range, has_range)):
            yield f"{model}: {had_range} became {has_range}"


def statuses(target: Target, done: Sequence[Done], now: Answer, *, is_json: bool) -> Iterator[str]:
    """200; 422 or 412 where another patient may be named, 412 where there is none, 400 for what is no JSON of ours."""
    is_refusal = now.status in (412, 422)
    if now.status >= 500 or now.status not in (200, 400, 412, 422):
        yield f"status {now.status}"
        return
    if any(one.name == ANOTHER_PATIENT for one in done):
        yield from () if is_refusal else (f"status {now.status} for another patient's data",)
        return
    names = {str(one) for each in done for one in each.path}
    if now.status == 400 and is_json:
        yield f"status 400: {now.body}"
    if is_refusal and not (target.key == "patient" or names & {"subject", "patient", "reference", "id"}):
        yield f"status {now.status}: {now.body}"
    if now.status != 200 and now.body.get("resourceType") != "OperationOutcome":
        yield f"status {now.status} without an OperationOutcome"


def faults_of(
    target: Target, done: Sequence[Done], plain: Answer, without: Answer, now: Answer, body: Json
) -> Iterator[str]:
    """What is used of the target though it is invalid, and what is told as absent though it could not be read."""
    if target.place is None:
        yield from _of_the_patient(plain, now, body["prefetch"]["patient"])
        return
    resource = target.of(body["prefetch"])
    reference = f"{resource['resourceType']}/{resource['id']}"
    if not any(one.whole for one in done):
        yield from _of_other_values(plain, without, now)
    if any(one.kills for one in done):
        for name, value in now.used.items():
            if reference in str(now.inputs[name].get("source", "")).split():
                yield f"{name} is used as {value} from what was made invalid"
    if not any(one.excuses for one in done):
        yield from _of_what_was_true(plain, without, now)
        if target.key in _LISTS_OF_DISEASES:
            yield from _of_the_high_end(plain, now)


def _of_other_values(plain: Answer, without: Answer, now: Answer) -> Iterator[str]:
    """What is used was there before, or is there without the resource: nothing else was recorded."""
    for name, value in now.used.items():
        known = [one.used[name] for one in (plain, without) if name in one.used]
        if name not in _SUMS and not any(_near(value, one, 1e-9) for one in known):
            yield f"{name} is used as {value}, which is neither of {known}"


def _of_what_was_true(plain: Answer, without: Answer, now: Answer) -> Iterator[str]:
    """What the resource alone makes true is not told as absent."""
    for name, value in plain.used.items():
        if value in _ABSENT or without.used.get(name, False) not in _ABSENT:
            continue
        if name in without.used and now.used.get(name, value) in _ABSENT and not _is_of_another(name, plain, now):
            yield f"{name} is told as {now.used.get(name)}"


def _is_of_another(name: str, plain: Answer, now: Answer) -> bool:
    """Whether a zero is what an older result says, whose source is told: pain of 0 out of 10 is no absence."""
    source = now.inputs[name].get("source")
    return FEATURES[name].kind != "yes-no" and bool(source) and source != plain.inputs[name].get("source")


def _of_the_high_end(plain: Answer, now: Answer) -> Iterator[str]:
    """No figure lies lower at its high end; a range over what was unknown before may now rest on another reason."""
    for model, (low, high) in plain.ranges.items():
        if low == high and (model not in now.ranges or now.ranges[model][1] < high - 1e-9):
            yield f"{model}: up to {high} became {now.ranges.get(model)}"


def _of_the_patient(plain: Answer, now: Answer, patient: Json) -> Iterator[str]:
    """Where the birth sex cannot be read, the gender beside it counts (inputs 3)."""
    for name, other in (("age", None), ("sex", patient.get("gender"))):
        if name in now.used and now.used[name] not in (plain.used.get(name), other):
            yield f"{name} is used as {now.used[name]}"
