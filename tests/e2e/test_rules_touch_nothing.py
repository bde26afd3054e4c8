"""Rules compute and do nothing else: while they are evaluated, Python is watched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tfgate.engine.functions import rule_functions
from tfgate.query import ExpressionError
from tfgate.query import compile as compile_expression

ROOT = Path(__file__).parents[2]
WATCHED = """
import sys
from pathlib import Path
from tests.support.plans import context
from tfgate.engine.evaluate import evaluate
from tfgate.engine.functions import rule_functions
from tfgate.plan import read_plan
from tfgate.ruleset import load_ruleset

names = ("core", "aws", "azure", "google", "kubernetes")
rulesets = [load_ruleset(f"tfgate:{name}", functions=rule_functions()) for name in names]
paths = sorted(Path("testdata/plans").glob("*.json"))
plans = [path.read_bytes() for path in paths if path.stem != "errored"]

def judge():
    return [evaluate(read_plan(plan), rulesets, context()) for plan in plans]

first = judge()  # what is imported late is imported now
seen = set()
sys.addaudithook(lambda event, _: event == "builtins.id" or seen.add(event))
second = judge()
found = sorted(seen)
assert [one.verdict for one in first] == [one.verdict for one in second]
assert sum(len(one.outcomes) for one in second) > 100
print(found)
"""


@pytest.mark.slow
def test_an_evaluation_touches_nothing() -> None:
    """No file is opened, no process started, no code compiled, nothing imported or looked up."""
    done = subprocess.run(
        [sys.executable, "-c", WATCHED],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').system('true')",
        "eval('1')",
        "after.__class__.__mro__[1].__subclasses__()",
        "open('/etc/passwd')",
        "env('HOME')",
        "file('/etc/passwd')",
        "lookup('x')(@)",
    ],
)
def test_an_expression_names_nothing_of_python(expression: str) -> None:
    """Its functions are those that are listed; a ruleset with another name does not load."""
    with pytest.raises(ExpressionError):
        compile_expression(expression, functions=rule_functions())


def test_a_field_with_a_python_name_is_a_field() -> None:
    """Attributes of Python objects are not reached by names of fields."""
    expression = compile_expression("after.__class__", functions=rule_functions())
    assert expression.search({"after": {"x": 1}}) is None
    assert expression.search({"after": {"__class__": 1}}) == 1
