"""What was read of shipped rules before stands in for their files only while they are the same."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from tfgate.engine.functions import rule_functions
from tfgate.errors import RulesetError
from tfgate.ruleset import load_ruleset
from tfgate.ruleset import loader as checked
from tfgate.ruleset.compiled import Names, compile_later
from tfgate.ruleset.loader import load_located
from tfgate.ruleset.sources import Located, shipped_folder

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.query import FunctionTable
    from tfgate.ruleset import CompiledRule, Ruleset

EDITED = "rules/stateful-deletion.toml"


@pytest.fixture(scope="module")
def functions() -> FunctionTable:
    """What the shipped rules call."""
    return rule_functions()


@pytest.fixture
def core(tmp_path: Path) -> Path:
    """A copy of a shipped ruleset, which a test may change."""
    return shutil.copytree(shipped_folder() / "core", tmp_path / "core")


@pytest.fixture(scope="module")
def whole(functions: FunctionTable) -> Ruleset:
    """The ruleset as its files have it."""
    return load_ruleset("tfgate:core", functions=functions)


def _load(folder: Path, functions: FunctionTable, name: str | None = "core") -> Ruleset:
    located = Located(folder, "tfgate:core", shipped=name)
    return load_located("tfgate:core", located, functions, shipped_examples=False)


def _read(ruleset: Ruleset) -> list[str]:
    """Name the files that were read as TOML: their rules have their examples."""
    return [rule.rule.file for rule in ruleset.rules if rule.rule.tests]


def _rule(ruleset: Ruleset, file: str) -> CompiledRule:
    return next(rule for rule in ruleset.rules if rule.rule.file == f"tfgate:core/{file}")


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_files_as_they_were_are_not_read_as_toml(
    core: Path, functions: FunctionTable, whole: Ruleset
) -> None:
    """The ruleset is the same, but for its examples."""
    short = _load(core, functions)
    assert _read(short) == []
    assert [rule.id for rule in short.rules] == [rule.id for rule in whole.rules]
    assert (short.digest, short.files) == (whole.digest, whole.files)


def test_an_edited_rule_is_judged_by_as_it_is_now(
    core: Path, functions: FunctionTable, whole: Ruleset
) -> None:
    """It is read, and the others are not; the digest is of what is on disk."""
    before = _rule(whole, EDITED)
    _edit(core / EDITED, before.rule.title, "Edited")
    edited = _load(core, functions)
    assert _rule(edited, EDITED).rule.title == "Edited"
    assert _read(edited) == [f"tfgate:core/{EDITED}"]
    assert edited.digest != whole.digest
    assert edited.digest == _load(core, functions, None).digest


def test_every_mistake_of_edited_rules_is_reported(core: Path, functions: FunctionTable) -> None:
    """They are as strictly read as anybody's: keys, expressions, TOML."""
    _edit(core / EDITED, "\nseverity =", '\nwhen = "$params.none"\nseverty =')
    (core / "rules/deposed-object.toml").write_text("id = \n")
    with pytest.raises(RulesetError) as caught:
        _load(core, functions)
    found = {(problem.file, problem.key, problem.line) for problem in caught.value.problems}
    assert {
        ("tfgate:core/rules/deposed-object.toml", None, 1),
        (f"tfgate:core/{EDITED}", "when", 3),
        (f"tfgate:core/{EDITED}", "severty", 4),
    } <= found


def test_files_that_come_and_go_are_seen(core: Path, functions: FunctionTable) -> None:
    """A rule that is gone judges no more; one that is new, or has moved, is read."""
    first, second, *_ = sorted((core / "rules").iterdir())
    first.unlink()
    second.rename(second.with_name("moved.toml"))
    changed = _load(core, functions)
    assert _read(changed) == ["tfgate:core/rules/moved.toml"]
    files = {rule.rule.file for rule in changed.rules}
    assert f"tfgate:core/rules/{first.name}" not in files
    assert f"tfgate:core/rules/{second.name}" not in files


def test_another_manifest_makes_all_rules_be_read(
    core: Path, functions: FunctionTable, whole: Ruleset
) -> None:
    """A rule depends on it: parameters and data that it may name, levels that may be lowered."""
    manifest = core / "ruleset.toml"
    manifest.write_text(manifest.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert _read(_load(core, functions)) == _read(whole)


@pytest.mark.slow
@pytest.mark.parametrize("content", [None, b"", b"{", b'{"manifest": 1, "rules": {}}'])
def test_without_what_was_kept_all_rules_are_read(
    core: Path,
    tmp_path: Path,
    functions: FunctionTable,
    whole: Ruleset,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes | None,
) -> None:
    """The file in the package may be missing or damaged: then it takes longer, and no more."""
    if content is not None:
        (tmp_path / "core.json").write_bytes(content)
    monkeypatch.setattr(checked, "checked_path", lambda name: tmp_path / f"{name}.json")
    assert _read(_load(core, functions)) == _read(whole)


def test_nobody_elses_ruleset_is_taken_for_a_shipped_one(
    core: Path, functions: FunctionTable, whole: Ruleset
) -> None:
    """A copy of a shipped ruleset is read, whatever lies in it."""
    (core / "shipped").mkdir()
    shutil.copy(checked.checked_path("core"), core / "shipped")
    copied = load_ruleset(str(core), functions=functions, shipped_examples=False)
    assert len(_read(copied)) == len(_read(whole))


def test_a_mistake_in_a_checked_rule_is_said_when_it_is_used(
    functions: FunctionTable, whole: Ruleset
) -> None:
    """Loading costs no compiling; the parts are made once."""
    names = Names(whole.params, whole.data, functions=functions)
    rule = _rule(whole, EDITED)
    good = compile_later(rule.rule, names, overridable=True)
    assert good.overridable
    assert good.parts is good.parts
    assert [key for key, _ in good.expressions()] == [key for key, _ in rule.expressions()]
    wrong = compile_later(replace(rule.rule, when="$params.none"), names, overridable=False)
    with pytest.raises(RulesetError) as caught:
        _ = wrong.parts
    assert [problem.file for problem in caught.value.problems] == [f"tfgate:core/{EDITED}"]
