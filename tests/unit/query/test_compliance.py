"""A small suite in the form of JMESPath's own, for machines without that one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jmespath
import pytest

from tests.support.compliance import cases, check

CASES = list(cases(Path(__file__).parents[3] / "testdata" / "jmespath"))


@pytest.mark.parametrize(("document", "case"), CASES)
def test_every_case_of_the_small_suite_passes(document: Any, case: dict[str, Any]) -> None:
    """Results are equal, and errors are of the kind that the case names."""
    check(document, case)


@pytest.mark.parametrize(("document", "case"), CASES)
def test_the_small_suite_says_what_jmespath_does(document: Any, case: dict[str, Any]) -> None:
    """The suite is not ours to bend: the jmespath package passes it as well."""
    if "error" in case:
        with pytest.raises((ValueError, TypeError)):
            jmespath.search(case["expression"], document)
    else:
        assert jmespath.search(case["expression"], document) == case["result"]
