"""Rulesets of the old form are rewritten, mean the same, and change nowhere else."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.plans import HEADER
from tfgate.authoring.upgrade import upgrade
from tfgate.cli.main import main
from tfgate.engine.functions import rule_functions
from tfgate.errors import ConfigError, UsageError
from tfgate.examples.run import run_examples
from tfgate.query import Scope
from tfgate.query import compile as compile_expression
from tfgate.query.functions.registry import Function, FunctionTable, Parameter
from tfgate.ruleset import load_ruleset
from tfgate.ruleset.files import parse_toml
from tfgate.ruleset.retired import retired_calls

OLD = (
    HEADER
    + '''\
# a comment about param('max')
[params.max]   # how many
type = "number"
default = 2
description = "param('max') stays in prose"

[params."two-words"]
type = "string"
default = "x"
description = "d"

# about the first rule
[[rules]]
id = "T-1"
title = "not param('max')"
severity = 'low'
enforcement = "advisory"
message = "{counts.no-op} left"
scope = "plan"
let.all = "changes"
let.few = """
length(var('all'))
  <= param( 'max' )"""
when = 'context(`"ticket"`) != null'
require = \'\'\'
var('few')
\'\'\'

[[rules.tests]]
name = "param('max')"
expect = "pass"
context = { ticket = 3 }

[[rules.mutants]]
survives = "let.few: drop length(var('all'))"
reason = "var('all')"
'''
)


def _upgraded(folder: Path, text: str, *, end: str = "\n") -> str:
    path = folder / "old.toml"
    path.write_bytes(text.replace("\n", end).encode())
    changes = upgrade([path])
    return changes[0].new if changes else path.read_bytes().decode()


def test_only_calls_change(tmp_path: Path) -> None:
    """Comments, prose, quotes and order stay; a fact that nothing declares gets a table."""
    new = _upgraded(tmp_path, OLD)
    expected = (
        OLD.replace("length(var('all'))\n", "length($all)\n")
        .replace("param( 'max' )", "$params.max")
        .replace('context(`"ticket"`)', "$context.ticket")
        .replace("var('few')", "$few")
        .replace("drop length(var('all'))", "drop length($all)")
        .replace("{counts.no-op}", '{counts.\\"no-op\\"}')
        .replace(
            "# about the first rule", '[context.ticket]\ntype = "number"\n\n# about the first rule'
        )
    )
    assert new == expected


def test_what_was_upgraded_loads_and_its_examples_hold(tmp_path: Path) -> None:
    """The new file is a ruleset, and upgrading it again changes nothing."""
    path = tmp_path / "new.toml"
    path.write_text(_upgraded(tmp_path, OLD), encoding="utf-8")
    results = list(run_examples(load_ruleset(str(path), functions=rule_functions())))
    assert [result.passed for result in results] == [True]
    assert upgrade([path]) == []


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_stay(tmp_path: Path, end: str) -> None:
    """A file with Windows line ends has no other ones afterwards."""
    new = _upgraded(tmp_path, OLD, end=end)
    assert set(re.findall(r"\r?\n", new)) == {end}
    assert parse_toml(new, "new")["rules"][0]["let"]["all"] == "changes"


def test_a_mark_at_the_beginning_and_the_mode_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte order mark and the permissions of the file are those it had."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "old.toml"
    path.write_bytes(b"\xef\xbb\xbf" + OLD.encode())
    os.chmod(path, 0o640)
    assert main(["rules", "upgrade", "old.toml", "--write"]) == 0
    assert path.read_bytes().startswith(b"\xef\xbb\xbf[ruleset]")
    assert path.stat().st_mode & 0o777 == 0o640


def test_without_write_a_diff_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is written before somebody has seen what would change."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy").mkdir()
    path = tmp_path / "policy" / "old.toml"
    path.write_text(OLD, encoding="utf-8")
    (tmp_path / "tfgate.toml").write_text("# param('x')\n[gate]\nrulesets = []\n")
    assert main(["rules", "upgrade"]) == 0
    shown = capsys.readouterr().out
    assert "-var('few')" in shown
    assert "+$few" in shown
    assert "policy/old.toml" in shown
    assert "tfgate.toml" not in shown
    assert path.read_text(encoding="utf-8") == OLD


def test_a_folder_is_upgraded_with_its_manifest(tmp_path: Path) -> None:
    """A fact that a rule's file reads is declared in the ruleset's own file."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "ruleset.toml").write_text(HEADER)
    rule = 'id = "A"\nrequire = "context(\'ticket\') != null"\n'
    (tmp_path / "rules" / "a.toml").write_text(rule)
    for named in (tmp_path, tmp_path / "rules" / "a.toml"):
        changes = {change.path.name: change.new for change in upgrade([named])}
        assert changes["a.toml"] == rule.replace("context('ticket')", "$context.ticket")
        assert changes["ruleset.toml"] == HEADER + '\n[context.ticket]\ntype = "string"\n'


@pytest.mark.parametrize(
    ("deny", "let", "place"),
    [
        ("param(after.x)", "", "rules[0].deny"),
        ("after.param('x')", "", "rules[0].deny"),
        ("var('a-b')", 'let."a-b" = "after.x"', "rules[0].let.a-b"),
        ("var('params')", 'let.params = "after.x"', "rules[0].let.params"),
    ],
)
def test_what_cannot_be_rewritten_is_refused_by_place(
    tmp_path: Path, deny: str, let: str, place: str
) -> None:
    """Nothing is guessed: the author is told where to write the new form by hand."""
    path = tmp_path / "old.toml"
    text = f'{HEADER}[[rules]]\nid = "A"\n{let}\ndeny = "{deny}"\n'
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        upgrade([path])
    assert place in [problem.key for problem in error.value.problems]
    assert path.read_text() == text


def test_a_place_without_rulesets_is_said(tmp_path: Path) -> None:
    """An upgrade of nothing is no success."""
    with pytest.raises(UsageError, match="no ruleset to upgrade"):
        upgrade([tmp_path])


VALUES = {"params": {"a": 1, "two-words": "x", "l": [1, 2]}, "data": {"d": {"k": [1]}},
          "context": {"c": True}}  # fmt: skip
LETS = {"v": [{"k": 1}, {"k": 2}], "few": 2}
NAMED = (
    *(("param", name) for name in VALUES["params"]),
    ("data", "d"),
    ("context", "c"),
    *(("var", name) for name in LETS),
)


def _old_functions() -> FunctionTable:
    """Return the functions that expressions had, over the same values."""
    held: dict[str, Any] = {"param": VALUES["params"], "data": VALUES["data"],
                            "context": VALUES["context"], "var": LETS}  # fmt: skip
    return FunctionTable.default().extended(
        Function(name, (Parameter("name", "string"),), "any", "A value.", "", None, values.get)
        for name, values in held.items()
    )


class _New(Scope):
    variables: ClassVar[dict[str, Any]] = {**VALUES, **LETS}


@st.composite
def old_expressions(draw: st.DrawFn, depth: int = 3) -> str:
    """Write an expression that calls the old functions, in all kinds of places."""
    function, name = draw(st.sampled_from(NAMED))
    space, quoted = draw(st.sampled_from([("", f"'{name}'"), (" ", f"'{name}'"),
                                          ("", f'`"{name}"`')]))  # fmt: skip
    call = f"{function}({space}{quoted}{space})"
    if depth == 0:
        return call
    inner = old_expressions(depth - 1)
    kind = draw(st.integers(0, 9))
    return {
        0: call,
        1: f"!{call}",
        2: f"{call}[0]",
        3: f"{call}.k",
        4: f"{call}[?k == `1`]",
        5: f"[{draw(inner)}, {draw(inner)}]",
        6: f"{draw(inner)} == {draw(inner)}",
        7: f"({draw(inner)}) && {draw(inner)} || 'param(\\'x\\')'",
        8: f"to_array({draw(inner)})[*]",
        9: f"{{a: {draw(inner)}, \"param('x')\": a}}",
    }[kind]


@given(old_expressions())
def test_an_upgraded_expression_means_the_same(expression: str) -> None:
    """Old and new give the same value, whatever stands around the calls."""
    new = expression
    for call in reversed(list(retired_calls(expression))):
        assert call.written is not None
        new = new[: call.start] + call.written + new[call.end :]
    old = compile_expression(expression, functions=_old_functions())
    compiled = compile_expression(new, variables={*VALUES, *LETS})
    assert not compiled.functions & {"param", "data", "context", "var"}
    assert list(retired_calls(new)) == []
    document = {"a": 1}
    assert compiled.search(document, _New()) == old.search(document)


SIGNS = st.text(alphabet="ab'\"\\`\n\t{}()[]$é🦊#= .,", max_size=30)


@given(SIGNS, SIGNS, st.sampled_from(["basic", "multi", "literal", "multi-literal"]))
def test_any_string_keeps_what_is_around_the_call(before: str, behind: str, form: str) -> None:
    """However a string is written in TOML, only the call in it changes, or the file is refused."""
    body = f"'x' || [{before.count('a')}] || param('max') || 'b'"
    note = before + behind
    escaped = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}
    plain = "".join(escaped.get(char, char) for char in note)
    written = {
        "basic": f'"{body}"',
        "multi": f'"""\n{body}\\\n   """',
        "literal": "'"
        + body.replace("'x'", "`1`").replace("param('max')", 'param(`"max"`)').replace("'b'", "`2`")
        + "'",
        "multi-literal": f"'''\n{body}\n'''",
    }[form]
    text = f'id = "A"\ntitle = "{plain}"\ndeny = {written} # {"param"}(\'max\')\n'
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"tfgate-upgrade-{os.getpid()}.toml"
    path.write_bytes(text.encode())
    try:
        (change,) = upgrade([path])
    finally:
        path.unlink()
    old, new = parse_toml(text, "old"), parse_toml(change.new, "new")
    assert new["title"] == old["title"]
    assert new["deny"] == re.sub(r"param\(('max'|`\"max\"`)\)", "$params.max", old["deny"])
    assert change.new.splitlines()[0] == 'id = "A"'
    assert change.new.endswith("# param('max')\n")
