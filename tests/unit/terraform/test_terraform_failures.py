"""One sentence and a hint out of what Terraform prints."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfgate.terraform.text import explain_failure

FRAME = """
\x1b[31m╷\x1b[0m\x1b[0m
\x1b[31m│\x1b[0m \x1b[0m\x1b[1m\x1b[31mError: \x1b[0m\x1b[0m\x1b[1m{headline}\x1b[0m
\x1b[31m│\x1b[0m \x1b[0m
\x1b[31m│\x1b[0m \x1b[0m{detail}
\x1b[31m╵\x1b[0m\x1b[0m
"""

CASES = [
    (
        "Couldn't show local plan",
        "Plan read error: plan file was created by Terraform 1.15.5, but this is\n│ 1.11.4; plan",
        "The plan file was made by version 1.15.5, and this terraform is 1.11.4. Use the",
    ),
    (
        "Failed to load plugin schemas",
        "Error while loading schemas for plugin components: Failed to obtain provider\n│ schema: ",
        "terraform needs providers that are not installed in the configuration's directory. Run `t",
    ),
    (
        "Required plugins are not installed",
        "The installed provider plugins are not consistent",
        "terraform needs providers that are not installed",
    ),
    ("Inconsistent dependency lock file", "", "terraform needs providers that are not installed"),
    ("Backend initialization required, please run \"terraform init\"", "Reason: Initial",
     "The configuration's directory is not initialised."),
    ("Error acquiring the state lock", "Lock Info: Who: secret", "The state is locked by another"),
    (
        "Failed to read the given file as a state or plan file",
        "Plan read error: couldn't load the provided path as either a local plan\n│ file",
        "The file is not a plan file that terraform can read.",
    ),
    (
        "Failed to read plan from plan file",
        "the given plan file is encrypted and requires a valid encryption configuration to decrypt",
        "The plan file is encrypted, and terraform has no key that opens it.",
    ),
    (
        "Something nobody has met",
        "password = hunter2",
        "`terraform show -json` failed with exit code 1: Something nobody has met. Run `terraform",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("headline", "detail", "expected"), CASES, ids=[c[0] for c in CASES])
def test_known_causes_have_a_sentence_and_a_way_out(
    headline: str, detail: str, expected: str
) -> None:
    """Terraform's colours, frames and line breaks do not matter."""
    printed = FRAME.format(headline=headline, detail=detail)
    error = explain_failure("terraform", "terraform show -json", 1, printed)
    assert str(error).startswith(expected)
    assert error.hint
    assert "hunter2" not in str(error)
    assert "secret" not in str(error)


def test_a_killed_command_says_so() -> None:
    """Nothing on stderr and a signal is still one sentence."""
    error = explain_failure("tofu", "tofu show -json", -9, "")
    assert error.message == "`tofu show -json` was ended by signal 9."


@given(st.text(max_size=300), st.integers(-64, 255))
def test_whatever_is_printed_gives_short_printable_text(printed: str, code: int) -> None:
    """A hostile program cannot write control characters or a screenful through the error."""
    text = str(explain_failure("terraform", "terraform show", code, "Error: " + printed))
    assert len(text) < 500
    assert not set(text) & set("\n\r\x1b\u202e")
