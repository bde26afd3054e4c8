"""Terraform's arguments, sorted by who needs them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfgate.errors import UsageError
from tfgate.terraform.arguments import OPTIONS, ApplyArguments, For, parse_apply, takes_variables


def test_sorting() -> None:
    """What the plan is to be goes to plan, how it is made to apply, the rest to both."""
    found = parse_apply(
        ["-target=a.b", "--var", "x=1", "-backup=-", "-lock=false", "-auto-approve", "-chdir=d"]
    )
    assert found.plan() == ["-target=a.b", "-var=x=1", "-lock=false"]
    assert found.apply(variables=True) == ["-var=x=1", "-backup=-", "-lock=false"]
    assert found.apply(variables=False) == ["-backup=-", "-lock=false"]
    assert found.global_options == ["-chdir=d"]
    assert found.on("auto-approve")
    assert not found.on("lock")
    assert found.plan_file is None


def test_with_a_plan_file_all_goes_to_apply() -> None:
    """With a plan file Terraform itself says what does not go with one."""
    found = parse_apply(["p.tfplan", "-target=a.b", "-var=x=1", "-auto-approve=true"])
    assert found.plan_file == "p.tfplan"
    assert found.apply(variables=False) == ["-target=a.b", "-var=x=1"]


def test_last_switch_counts() -> None:
    """As in Terraform, of several the last one counts."""
    assert not parse_apply(["-auto-approve", "-auto-approve=false"]).on("auto-approve")
    assert parse_apply(["-auto-approve=0", "-auto-approve"]).on("auto-approve") is True


def test_records_hold_no_values_of_variables() -> None:
    """A variable's value may be a secret; its name, and addresses, are not."""
    found = parse_apply(["-var", "password=CANARY", "-target", "a.b", "-json"])
    assert found.shown == ["-var=password=…", "-target=a.b", "-json"]


def test_help() -> None:
    """Asking for help asks for nothing else."""
    assert parse_apply(["-auto-approve", "-help"]) == ApplyArguments(help=True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-targt=x"], "Did you mean -target?"),
        (["-var"], "needs a value"),
        (["-refresh=no"], "is true or false"),
        (["a", "b"], "one plan file"),
        (["-detailed-exitcode"], "no option of apply"),
        (["--", "-a", "-b"], "one plan file"),
    ],
)
def test_mistakes(arguments: list[str], said: str) -> None:
    """A mistake is one sentence."""
    with pytest.raises(UsageError, match=said):
        parse_apply(arguments)


def test_as_terraform_reads_it() -> None:
    """In Terraform's place options end at the plan file or ``--``, and an empty name is none."""
    assert parse_apply(["-auto-approve", "--", "-help"], drop_in=True).plan_file == "-help"
    assert parse_apply(["-auto-approve", ""], drop_in=True).plan_file is None
    for words in (["p", "-auto-approve"], ["-chdir=x"], ["-var", "--", "-help"], ["", "-json"]):
        with pytest.raises(UsageError):
            parse_apply(words, drop_in=True)


@given(st.lists(st.sampled_from(sorted(OPTIONS)), max_size=6))
def test_nothing_is_lost_or_added(names: list[str]) -> None:
    """Every option reaches the commands that its entry says, in order, and no other."""
    found = parse_apply([f"-{n}" if OPTIONS[n].switch else f"-{n}=v" for n in names])
    for flag, given_ in ((For.PLAN, found.plan()), (For.APPLY, found.apply(variables=True))):
        wanted = [name for name in names if OPTIONS[name].use & flag]
        assert [text[1:].partition("=")[0] for text in given_] == wanted


@pytest.mark.parametrize(
    ("tool", "version", "takes"),
    [("terraform", "1.9.8", False), ("terraform", "1.10.0", True), ("terraform", "1.15.5", True),
     ("tofu", "1.7.1", False), ("tofu", "1.8.0-beta1", True), ("terraform", None, False),
     ("terraform", "none", False)],
)  # fmt: skip
def test_variables_at_the_apply(tool: str, version: str | None, takes: bool) -> None:
    """Older versions refuse variables with a saved plan."""
    assert takes_variables(tool, version) is takes
