"""Values of a ruleset's [let] are proven by the examples of all rules that use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.authoring.mutate import mutate_ruleset, mutate_shared
from tfgate.authoring.rule_tests import run_tests
from tfgate.engine.functions import rule_functions
from tfgate.ruleset import load_ruleset

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.ruleset import Ruleset

HEAD = """\
[ruleset]
id = "acme"
version = "1.0.0"
title = "Acme"
owners = ["security@acme.example"]

[let]
owned = "after.tags.Owner || after.tags.Team"
"""
RULE = """
[[rules]]
id = "ACME-{number}"
title = "Owned"
severity = "low"
enforcement = "advisory"
match.types = ["acme_{kind}"]
require = "$owned"
message = "{{address}} has no owner"

[[rules.tests]]
name = "none fails"
change = {{ type = "acme_{kind}", after = {{ tags = {{}} }} }}
expect = "fail"

[[rules.tests]]
name = "{tag} passes"
change = {{ type = "acme_{kind}", after = {{ tags = {{ {tag} = "a" }} }} }}
expect = "pass"

[[rules.tests]]
name = "tags that are not known yet leave it open"
change = {{ type = "acme_{kind}", after = {{}} }}
unknown = ["tags"]
expect = "unknown"
"""
FIRST = RULE.format(number=1, kind="disk", tag="Owner")
SECOND = RULE.format(number=2, kind="host", tag="Team")


def ruleset(folder: Path, *rules: str) -> Ruleset:
    """Load a ruleset of some rules that use ``$owned``."""
    file = folder / "acme.toml"
    file.write_text(HEAD + "".join(rules))
    return load_ruleset(str(file), base=folder, functions=rule_functions())


def test_what_one_rule_does_not_show_another_may(tmp_path: Path) -> None:
    """One rule shows the owner, the other the team."""
    alone = run_tests(ruleset(tmp_path, FIRST))
    assert [(gap.rule, gap.what) for gap in alone.coverage.gaps] == [
        ("acme", "let.owned: after.tags.Team (of ||) was never true")
    ]
    assert run_tests(ruleset(tmp_path, FIRST, SECOND)).coverage.gaps == ()


def test_a_change_that_one_rule_does_not_notice_another_may(tmp_path: Path) -> None:
    """Without the second rule nobody notices that teams no longer count."""
    alone = mutate_shared(ruleset(tmp_path, FIRST), "owned")
    assert any("Team" in survivor.change for survivor in alone.unexplained)
    both = ruleset(tmp_path, FIRST, SECOND)
    assert [each.rule for each in mutate_ruleset(both, both.rules)] == [
        "ACME-1", "ACME-2", "let.owned",
    ]  # fmt: skip
    assert mutate_shared(both, "owned").unexplained == ()


def test_the_reason_for_a_change_stands_in_a_rule_that_uses_the_value(tmp_path: Path) -> None:
    """There it is no reason without its survivor, and no survivor without a reason."""
    (survivor, *_) = mutate_shared(ruleset(tmp_path, FIRST), "owned").unexplained
    reason = f'\n[[rules.mutants]]\nsurvives = "{survivor.change}"\nreason = "No teams yet."\n'
    found = ruleset(tmp_path, FIRST + reason)
    assert survivor.change not in [e.change for e in mutate_shared(found, "owned").unexplained]
    assert [each.stale for each in mutate_ruleset(found, found.rules)] == [(), ()]


def test_an_example_that_does_not_hold_proves_no_value(tmp_path: Path) -> None:
    """It would seem to notice any change, though another rule is asked about alone."""
    wrong = SECOND.replace('expect = "fail"', 'expect = "pass"')
    found = ruleset(tmp_path, FIRST, wrong)
    first = [rule for rule in found.rules if rule.id == "ACME-1"]
    (*_, shared) = mutate_ruleset(found, first)
    assert (shared.rule, shared.tried) == ("let.owned", 0)
    assert shared.contradicted == ("ACME-2: none fails",)
    assert not shared.passed
