"""Rulesets load whole, or say everything that is wrong with them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tfgate.errors import RulesetError
from tfgate.exitcodes import ExitCode
from tfgate.model.action import WILL_EXIST, Action
from tfgate.model.rule import Enforcement, OnUnknown, Scope, Severity
from tfgate.ruleset import load_ruleset

from .conftest import HEADER, RULE, shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_snapshot.plugin import Snapshot

    from tfgate.query import FunctionTable
    from tfgate.ruleset import Ruleset

    Write = Callable[[str, str], Path]

FULL_RULE = """\
id = "ACME-EC2-003"
title = "Instances use an allowed type"
severity = "high"
enforcement = "hard-mandatory"
on_unknown = "verify"
when = "after.instance_type != null"
require = "contains($params.allowed, $type) && $data.accounts"
message = "{address} uses {after.instance_type}"
remediation = "Pick one of the allowed types."
description = "Costs."
references = ["https://acme.example/policy"]
owners = ["team-a@acme.example"]

[match]
types = ["aws_instance", "aws_*_template"]
actions = ["create"]
modes = ["managed", "data"]
modules = ["", "module.*"]
providers = ["aws"]
addresses = ['*["a"]']
names = ["web*"]

[let]
type = "after.instance_type"

[controls]
soc2 = ["CC8.1"]

[[tests]]
name = "a large one fails"
change = { type = "aws_instance", after = { instance_type = "m5.24xlarge" }, null = ["tags"] }
unknown = ["arn", "ebs[0].id"]
params = { allowed = ["t3.micro"] }
context = { hour = 3 }
expect = "fail"
message = "x uses m5.24xlarge"
"""


@pytest.fixture
def load(tmp_path: Path, functions: FunctionTable) -> Callable[[str], Ruleset]:
    """Load a ruleset by a source relative to the test's folder."""
    return lambda source: load_ruleset(source, base=tmp_path, functions=functions)


@pytest.fixture
def problems_of(load: Callable[[str], Ruleset]) -> Callable[[str], list[str]]:
    """Load a ruleset that is wrong and give its problems as printed."""

    def give(source: str) -> list[str]:
        with pytest.raises(RulesetError) as caught:
            load(source)
        assert caught.value.exit_code is ExitCode.USAGE
        return shown(caught.value)

    return give


def _folder(write: Write) -> None:
    text = HEADER + 'description = "d"\nrequires = ">=0.0.1, <99"\noverridable = ["ACME-*"]\n'
    text += '[params.allowed]\ntype = "list(string)"\ndefault = ["t3.micro"]\ndescription = "d"\n'
    text += '[data.accounts]\nfile = "data/accounts.json"\n'
    write("policy/ruleset.toml", text)
    write("policy/data/accounts.json", '{"prod": "123"}')
    write("policy/rules/types.toml", FULL_RULE)
    write("policy/rules/README.md", "not a rule")


def test_a_folder_loads(write: Write, load: Callable[[str], Ruleset]) -> None:
    """A folder's head, parameters, data and rules become one value."""
    _folder(write)
    ruleset = load("./policy")
    assert (ruleset.id, ruleset.version, ruleset.source) == ("acme", "1.0.0", "./policy")
    assert ruleset.owners == ("security@acme.example",)
    assert str(ruleset.params["allowed"].type) == "list(string)"
    accounts = ruleset.data["accounts"]
    assert accounts is not None
    assert accounts.value == {"prod": "123"}
    paths = [file.path for file in ruleset.files]
    assert paths == ["data/accounts.json", "rules/types.toml", "ruleset.toml"]


def test_a_rule_has_everything_its_file_says(write: Write, load: Callable[[str], Ruleset]) -> None:
    """Each key of a rule file arrives in the rule."""
    _folder(write)
    (compiled,) = load("policy").rules
    rule = compiled.rule
    assert (rule.id, rule.severity, rule.enforcement) == (
        "ACME-EC2-003",
        Severity.HIGH,
        Enforcement.HARD_MANDATORY,
    )
    assert (rule.on_unknown, rule.scope) == (OnUnknown.VERIFY, Scope.RESOURCE)
    assert rule.match.types == ("aws_instance", "aws_*_template")
    assert rule.match.actions == (Action.CREATE,)
    assert rule.match.modes == ("managed", "data")
    assert rule.match.modules == ("", "module.*")
    assert (rule.file, rule.line) == ("policy/rules/types.toml", 1)
    assert rule.controls == {"soc2": ("CC8.1",)}
    assert [key for key, _ in compiled.expressions()] == ["when", "require", "let.type"]
    shown = [each.text for each in compiled.message.placeholders]
    assert shown == ["address", "after.instance_type"]
    (test,) = rule.tests
    assert test.subject == {
        "change": {
            "type": "aws_instance",
            "mode": "managed",
            "name": "example",
            "after": {"instance_type": "m5.24xlarge"},
            "null": ["tags"],
            "unknown": ["arn", "ebs[0].id"],
        }
    }
    assert (test.expect, test.params, test.context) == (
        "fail",
        {"allowed": ["t3.micro"]},
        {"hour": 3},
    )


def test_a_single_file_loads(write: Write, load: Callable[[str], Ruleset]) -> None:
    """Rules of one file know their own lines, and select what the apply makes by default."""
    write("one.toml", f"{HEADER}\n[[rules]]\n{RULE}\n[[rules]]\n{RULE.replace('ACME-1', 'ACME-2')}")
    rules = [compiled.rule for compiled in load("one.toml").rules]
    assert [(rule.id, rule.file, rule.line) for rule in rules] == [
        ("ACME-1", "one.toml", 7),
        ("ACME-2", "one.toml", 15),
    ]
    assert rules[0].match.actions == WILL_EXIST


def test_a_byte_order_mark_and_a_link_are_fine(
    tmp_path: Path, write: Write, load: Callable[[str], Ruleset]
) -> None:
    """What editors and deployments do to files does not matter."""
    write("real.toml", "\ufeff" + HEADER + "[[rules]]\n" + RULE)
    (tmp_path / "link.toml").symlink_to("real.toml")
    assert load("link.toml").id == "acme"


def test_the_digest_follows_content_alone(
    tmp_path: Path, write: Write, load: Callable[[str], Ruleset]
) -> None:
    """Any changed byte changes the digest; the place and files that take no part do not."""
    _folder(write)
    first = load("policy").digest
    assert first.startswith("sha256:")
    (tmp_path / "policy").rename(tmp_path / "elsewhere")
    write("elsewhere/rules/notes.md", "x")
    assert load("elsewhere").digest == first
    write("elsewhere/data/accounts.json", '{"prod": "124"}')
    assert load("elsewhere").digest != first


def test_every_mistake_is_reported_in_one_run(
    write: Write, problems_of: Callable[[str], list[str]], snapshot: Snapshot
) -> None:
    """Mistakes in several files, keys and expressions come together, each with its place."""
    write(
        "bad/ruleset.toml",
        """\
        [ruleset]
        id = "acme"
        version = "1.0"
        titel = "Acme"
        owners = []
        requires = ">=99"

        [params.allowed]
        type = "list(strings)"
        description = "d"

        [params.size]
        type = "number"
        default = "big"
        description = "d"
        """,
    )
    write(
        "bad/rules/a.toml",
        """\
        id = "A 1"
        title = "x"
        severity = "severe"
        enforcement = "mandatory"
        message = "{adress} {after.x"
        deny = "after.a ||"
        require = "contains($params.alowed, after.a)"
        let = { x = "$y", y = "$x" }

        [match]
        types = "aws_instance"
        actions = ["destroy", "create", "create"]
        action = ["create"]
        """,
    )
    write("bad/rules/b.toml", 'id = "B"\ntitle = "unclosed\n')
    write("bad/rules/c.txt", "")
    found = problems_of("bad")
    snapshot.assert_match("\n".join(found) + "\n", "every-mistake.txt")


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ({"require": None}, "f.toml:7: rules[0]: a rule needs one of the keys deny and require"),
        (
            {"require": '"nosuch(after)"'},
            "f.toml:13: rules[0].require: column 1: ",
        ),
        (
            {"require": '"address && afer.tags"'},
            (
                "f.toml:13: rules[0].require: column 12: afer is no field of a subject of scope "
                'resource (did you mean "after"?); it has action, action_reason'
            ),
        ),
        (
            {"require": '"after.blocks[?encrypted == true]"'},
            (
                "f.toml:13: rules[0].require: column 28: true is a field here: write the literal "
                "`true`\n    after.blocks[?encrypted == true]\n                               ^"
            ),
        ),
        (
            {"require": '"var(after.x)"'},
            (
                "f.toml:13: rules[0].require: column 1: var() is no function any more: "
                "write $NAME\n"
                "    var(after.x)\n    ^"
            ),
        ),
        (
            {"require": '"$data.x"'},
            (
                "f.toml:13: rules[0].require: column 7: $data.x is no data file of [data]\n"
                "    $data.x\n          ^"
            ),
        ),
        (
            {"message": '"{@item}"'},
            (
                "f.toml:12: rules[0].message: column 2: {@item} is an element of a deny list, and "
                "this rule has none\n    {@item}\n     ^"
            ),
        ),
        (
            {"scope": '"plan"', "message": '"x"', "match": '{ types = ["a"] }'},
            (
                "f.toml:15: rules[0].match.types: types selects nothing in scope plan "
                "(the plan is one subject)"
            ),
        ),
        (
            {"scope": '"plan"'},
            (
                "f.toml:12: rules[0].message: column 2: address is no field of a subject of scope "
                "plan"
            ),
        ),
        (
            {"tests": '[{ name = "n", expect = "pass" }]'},
            "f.toml:14: rules[0].tests[0]: a test of a rule of scope resource needs the key change",
        ),
        (
            {"tests": '[{ name = "n", expect = "pass", change = {}, plan = {} }]'},
            (
                "f.toml:14: rules[0].tests[0].plan: a rule of scope resource is tested on change, "
                "not on plan"
            ),
        ),
        (
            {"tests": '[{ name = "n", expect = "ok", change = {} }]'},
            "f.toml:14: rules[0].tests[0].expect: ok is not one of pass, fail, unknown, error",
        ),
        (
            {"tests": '[{ name = "n", expect = "pass", change = { after = { a = 2020-01-01 } } }]'},
            (
                "f.toml:14: rules[0].tests[0].change.after.a: a date is not a JSON value; write it "
                "as a string"
            ),
        ),
        (
            {"tests": '[{ name = "n", expect = "pass", change = {}, params = { x = 1 } }]'},
            "f.toml:14: rules[0].tests[0].params.x: unknown key x",
        ),
        (
            {"references": '["ftp://x"]'},
            'f.toml:14: rules[0].references[0]: "ftp://x" is not a web address',
        ),
        (
            {"title": '"a\\u001b[31m"'},
            "f.toml:9: rules[0].title: must be one line of printable characters",
        ),
        ({"title": '"  "'}, "f.toml:9: rules[0].title: must not be empty"),
        (
            {"overridable": '"true"'},
            (
                "f.toml:14: rules[0].overridable: expected a boolean, found a string (write it "
                "without quotes)"
            ),
        ),
    ],
)
def test_a_bad_rule_is_refused(
    write: Write,
    problems_of: Callable[[str], list[str]],
    rule: dict[str, str | None],
    problem: str,
) -> None:
    """Each mistake has its own sentence at the key that has it."""
    keys: dict[str, str | None] = dict(line.split(" = ", 1) for line in RULE.splitlines())  # type: ignore[misc] # two parts each
    order = ["id", "title", "severity", "enforcement", "message", "require"]
    assert list(keys) == order
    keys.update(rule)
    text = "".join(f"{key} = {value}\n" for key, value in keys.items() if value is not None)
    write("f.toml", f"{HEADER}\n[[rules]]\n{text}")
    found = problems_of("f.toml")
    assert any(line.startswith(problem) for line in found), "\n".join(found)


def test_a_mistake_in_a_long_expression_shows_its_line(
    write: Write, problems_of: Callable[[str], list[str]]
) -> None:
    """The caret stands under the right character of the right line of an expression."""
    rule = RULE.replace("\"after.instance_type == 't3.micro'\"", '"""after.a &&\nafter.b ]"""')
    write("f.toml", f"{HEADER}\n[[rules]]\n{rule}")
    (found,) = problems_of("f.toml")
    assert found.startswith("f.toml:13: rules[0].require: column 9: ")
    assert found.endswith("(line 2 of the text)\n    after.b ]\n            ^")


def test_a_rule_id_twice_is_refused(write: Write, problems_of: Callable[[str], list[str]]) -> None:
    """Two files of a folder cannot claim the same id."""
    write("p/ruleset.toml", HEADER)
    write("p/rules/a.toml", RULE)
    write("p/rules/b.toml", RULE)
    assert problems_of("p") == [
        "p/rules/b.toml:1: id: the rule ACME-1 is already in p/rules/a.toml:1"
    ]


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("nowhere.toml", "nowhere.toml: cannot be read: no such file"),
        ("empty", "empty: is a folder without ruleset.toml, so it is no ruleset"),
        ("pipe", "pipe: is not a regular file"),
        ("binary.toml", "binary.toml:2: is not UTF-8 text; save it in UTF-8"),
        ("digits.toml", "digits.toml: holds a number with too many digits"),
        ("deep.toml", "deep.toml: nests arrays or tables too deeply"),
        ("large.toml", "large.toml: is larger than 4,194,304 bytes, the most that is read"),
        (
            "norules.toml",
            "norules.toml: has no rules: put one in each rules/*.toml, or write [[rules]]",
        ),
        ("", '"" names no ruleset'),
        ("x" * 5000, "cannot be read"),
        ("a\0b", '"a\\u0000b" names no ruleset'),
        ("tfgate:cores", "tfgate:cores: no ruleset of this name is shipped with tfgate"),
        (
            "git::https://git.example/policy.git//sets/net",
            (
                "git::https://git.example/policy.git//sets/net: must say which version it is: "
                "?ref=<tag or commit>"
            ),
        ),
    ],
)
def test_a_source_that_gives_no_ruleset(
    tmp_path: Path, write: Write, problems_of: Callable[[str], list[str]], source: str, problem: str
) -> None:
    """Whatever a source leads to, there is one sentence."""
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "binary.toml").write_bytes(b"a = 1\nb = \xff\n")
    write("digits.toml", "a = " + "9" * 5000)
    write("deep.toml", "a = " + "[" * 100_000)
    write("large.toml", "#" * (4 * 1024 * 1024 + 1))
    write("norules.toml", HEADER)
    (found,) = problems_of(source)
    assert problem in found


def test_rules_that_are_no_folder_are_refused(
    write: Write, problems_of: Callable[[str], list[str]]
) -> None:
    """A file in the place of the folder would be a ruleset without its rules."""
    write("p/ruleset.toml", f"{HEADER}[[rules]]\n{RULE}")
    write("p/rules", "")
    assert problems_of("p") == ["p/rules: cannot be listed as a folder"]


def test_a_file_name_that_a_terminal_would_obey_is_refused(
    write: Write, problems_of: Callable[[str], list[str]]
) -> None:
    """Names of files are shown, so they are printable."""
    write("p/ruleset.toml", f"{HEADER}[[rules]]\n{RULE}")
    write("p/rules/a\x1b[31m.toml", RULE)
    assert problems_of("p") == ['p/rules/"a\\u001b[31m.toml": has an unprintable name']


@pytest.mark.parametrize("depth", [50, 150, 390])
def test_deep_nesting_is_a_problem(
    write: Write, problems_of: Callable[[str], list[str]], depth: int
) -> None:
    """What TOML still takes may be too deep for everything after it; nothing overflows."""
    nested = "[" * depth + "]" * depth
    write("f.toml", f"{HEADER}[params.x]\ntype = 'any'\ndefault = {nested}\n[[rules]]\n{RULE}x = 1")
    found = problems_of("f.toml")
    assert any("unknown key x" in line for line in found)
    assert any("nests arrays or tables too deeply" in line for line in found) is (depth > 100)


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("../outside.json", "a data file is given by a path inside the ruleset's folder"),
        ("/etc/hostname", "a data file is given by a path inside the ruleset's folder"),
        ("link.json", "a data file is given by a path inside the ruleset's folder"),
        ("broken.json", "p/broken.json: is not valid JSON"),
        ("deep.json", "p/deep.json: nests arrays or objects too deeply"),
        ("nan.toml", "p/nan.toml:1: a: nan and inf are not JSON values"),
        ("x.xml", "p/x.xml: a data file is named *.json, *.toml or *.yaml"),
        ("none.json", "p/none.json: cannot be read: no such file"),
    ],
)
def test_a_data_file_that_cannot_be_used(
    tmp_path: Path, write: Write, problems_of: Callable[[str], list[str]], file: str, problem: str
) -> None:
    """A data file stays inside the ruleset's folder and holds JSON values."""
    write("outside.json", "1")
    write("p/ruleset.toml", f'{HEADER}[data.d]\nfile = "{file}"\n')
    write("p/rules/a.toml", RULE)
    write("p/broken.json", "{")
    write("p/deep.json", "[" * 100_000)
    write("p/nan.toml", "a = nan\n")
    write("p/x.xml", "<a/>")
    (tmp_path / "p" / "link.json").symlink_to("../outside.json")
    assert any(problem in line for line in problems_of("p"))


@pytest.mark.parametrize("value", ["1", "'x'", "[]", "[[1]]", "[1, { a = 1 }]", "{ a = 1 }"])
@pytest.mark.parametrize("key", ["ruleset", "params", "data", "rules"])
def test_any_wrong_shape_is_a_problem(
    write: Write, problems_of: Callable[[str], list[str]], key: str, value: str
) -> None:
    """A value of the wrong type anywhere at the top gives problems, not a traceback."""
    write("f.toml", f"{key} = {value}\n")
    assert problems_of("f.toml")
