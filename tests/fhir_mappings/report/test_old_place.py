"""A site's Spark job that names the old place still runs, and is told the new one."""

from __future__ import annotations

import pytest

from fhir_mappings import bulk_spark as old
from fhir_mappings.report import bulk_spark


def test_the_old_place_still_has_it_and_says_where_it_is() -> None:
    with pytest.warns(DeprecationWarning, match=r"fhir_mappings\.report\.bulk_spark"):
        assert old.of_dataframe is bulk_spark.of_dataframe


def test_what_never_was_there_is_not_there() -> None:
    with pytest.raises(AttributeError):
        _ = old.nothing_of_the_kind
