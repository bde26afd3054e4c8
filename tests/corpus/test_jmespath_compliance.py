"""The JMESPath compliance suite, where a copy of it lies beside the project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.compliance import cases, check

SUITE = Path(__file__).parents[3] / "shared" / "corpus" / "jmespath-compliance"
CASES = list(cases(SUITE))


@pytest.mark.skipif(not CASES, reason="no copy of the JMESPath compliance suite at ../shared")
@pytest.mark.parametrize(("document", "case"), CASES)
def test_every_case_of_the_compliance_suite_passes(document: Any, case: dict[str, Any]) -> None:
    """Results are equal, and errors are of the kind that the suite names."""
    check(document, case)
