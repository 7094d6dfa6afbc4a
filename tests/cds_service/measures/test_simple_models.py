"""What knows nothing discriminates as chance does: neither better nor worse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cds_service.measures import discrimination, simple_models
from cds_service.measures.intervals import Values

Rule = Callable[[Values, np.random.Generator], Values | None]


def constant(happened: Values, random: np.random.Generator) -> Values | None:
    return simple_models.mean_of_group(happened, ["one"] * len(happened))


def noisy_group(happened: Values, random: np.random.Generator) -> Values | None:
    return simple_models.mean_of_group(happened, [str(name) for name in random.integers(0, 8, len(happened))])


def noisy_fact(happened: Values, random: np.random.Generator) -> Values | None:
    return simple_models.logistic_out_of_fold(happened, random.normal(size=(len(happened), 1)))


@pytest.mark.parametrize("rule", [constant, noisy_group, noisy_fact])
def test_noise_and_a_constant_discriminate_as_chance_does(rule: Rule) -> None:
    random, found = np.random.default_rng(7), []
    for _ in range(150):
        happened = (random.random(600) < 0.12).astype(float)
        simple = rule(happened, random)
        assert simple is not None
        found.append(discrimination.auroc_within(happened, simple, simple_models.folds(happened)).value)
    assert np.mean(np.array(found, float)) == pytest.approx(0.5, abs=0.01)


def test_the_mean_of_a_group_is_that_of_the_other_folds() -> None:
    happened = (np.random.default_rng(3).random(200) < 0.3).astype(float)
    group = ["a" if at % 3 else "b" for at in range(200)]
    part, found = simple_models.folds(happened), simple_models.mean_of_group(happened, group)
    for at in range(0, 200, 17):
        others = [k for k in range(200) if part[k] != part[at]]
        seen = [happened[k] for k in others if group[k] == group[at]]
        whole = np.mean(happened[others])
        assert found[at] == pytest.approx((sum(seen) + 10 * whole) / (len(seen) + 10))
