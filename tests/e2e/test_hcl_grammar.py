"""What is HCL and what is not is what Terraform says it is."""

from __future__ import annotations

import random
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.machine import terraform_env
from tests.support.parts import require_part
from tfgate.hcl.expressions import read_block
from tfgate.hcl.lexical import ScanError
from tfgate.hcl.scanner import scan
from tfgate.hcl.values import Expressions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

pytestmark = pytest.mark.terraform

EXPRESSIONS = r"""
1 | -1 | - 1 | -(1) | !!a | 1.5e-3 | 00 | 1. | .5 | 1e | 0x1f | 1x | null | true.x | a-b
a - -b | é | a.b | a.b.0.c | a.*.b | a.*[0] | a[*].b | a[0][1] | a["k"] | a . b | a [0] | a[]
a[b, c] | a..b | a.b. | a.1x | (a).b | "x"[0] | "x".y | f(x)[0].y | {a=1}.a | [1][0] | a.for
if | for | in | é.ü | () | (a) | ((a)) | (a | a) | (a] | [a} | [ | ] | [] | [a] | [a,] | [,]
[a,,b] | [a b] | [a, # b\n] | f() | f(a,) | f(,) | f(a...) | f(a...,) | f(a..., b) | f (x)
p::q::f(1) | p:q:f(1) | p::q | f(\na\n) | {} | {,} | {a=1} | {a=1,} | {a=1 b=2} | {a=1, b:2}
{a=1\nb=2} | {a=1,\nb=2\n} | {a=1\n,b=2} | {a\n=1} | {a=\n1} | {"a"=1} | {"a${b}"=1} | {(a)=1}
{a=b\n(c)=d} | {a=b\n[c]=d} | {[a]=1} | {a.b=1} | {1=2} | {a?b:c:d} | {for=1} | {a=1 # b\nc=2}
{a=1 /* b\n */ c=2} | {\n# a\n\na=1\n\n} | {a=1;} | {a()=1} | {for a in b : a => a}
{for a, b in c : a => b...} | {for a in b : a => a... if c} | {for a in b : a}
[for a in b : a] | [for a, b in c : a if b] | [for a in b : a...] | [for a in b : a => a]
[for a b : c] | [\nfor a in b :\na\nif c\n] | {\nfor a in b :\na => b\n}
[for x in [for y in z : y] : x][0] | [for] | a + b | a + | + a | a +\nb | (a +\nb) | (a\n+ b)
a\n+ b | a || b && c | a | b | a & b | a < b > c | a % b | a == b ? c : d | a ? b : c ? d : e
a ? b ? c : d : e | a ? b | a : b | a ?: b | (a\n? b\n: c) | a ?\nb : c | "a" | "a\nb" | "\\q"
"\\u00e9" | "$${a}" | "%%{a}" | "$" | "a" "b" | "a | 'a' | "${a}" | "${a["}"]}"
"%{ if a }b%{ else }c%{ endif }" | "${"${a}"}" | "\\"" | "\\\\" | "${~ a ~}" | "é${a}ü"
<<E\nx\nE | <<-E\n  x\n  E | <<E\nE | <<E\nx | <<E x\nE | <<E\nx E\nE | <<E\n${a}E\nE
<<É\nE\nÉ | [<<E\nx\nE\n] | [<<E\nx\nE\n, 1] | f(<<E\nx\nE\n) | {a=<<E\nx\nE\nb=1} | <<E\n$${\nE
<< E\nE | a # b | a // b | a /* b */ | a /* b\n */ + c | /* b */ a | a /* b | a / b | a => b
a = b | a b | a; b | ~a
"""
WORDS = [
    *(
        "a",
        "a.b",
        "1",
        '"x"',
        "true",
        "f(x)",
        "[1, 2]",
        "{ a = 1 }",
        "(a)",
        "x ? y : z",
        "for",
        "in",
    ),
    *(
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "=",
        ":",
        ",",
        "?",
        "!",
        "-",
        "+",
        "&&",
        "=>",
        "...",
        "::",
        ".",
    ),
    *(
        "\n",
        " ",
        "# c\n",
        "/* c */",
        "// c\n",
        "if",
        "<<E\nx\nE\n",
        "[0]",
        "[*]",
        "%",
        "==",
        ";",
        "'",
    ),
]
PIECE = re.compile(r'"(?:[^"\\\n]|\\.)*"|[^\W\d][\w-]*|\d+|\s|.', re.DOTALL)


def fixed() -> list[str]:
    """Return the expressions above, one of each kind of thing that there is to get wrong."""
    written = [one for line in EXPRESSIONS.strip().splitlines() for one in line.split(" | ")]
    return [one.replace("\\n", "\n").replace("\\\\", "\\") for one in written]


def spoilt(seed: int, count: int) -> Iterator[str]:
    """Yield expressions with one or two pieces taken out, put in or put in the place of others."""
    chance = random.Random(seed)
    whole = [one for one in fixed() if "$" not in one and "%{" not in one and "." not in one]
    for _ in range(count):
        pieces = PIECE.findall(chance.choice(whole))
        for _ in range(chance.randint(1, 2)):
            place = chance.randrange(len(pieces) + 1)
            taken = chance.choice((0, 0, 1))
            pieces[place : place + taken] = [chance.choice((*WORDS, ""))]
        yield "".join(pieces)


def refused_by_terraform(texts: Sequence[str], folder: Path) -> set[int]:
    """Return the numbers of the texts that ``terraform fmt`` says a syntax error of."""
    require_part("terraform")
    sources = folder / "sources"
    sources.mkdir()
    for number, text in enumerate(texts):
        (sources / f"{number:05}.tf").write_bytes(text.encode())
    told = subprocess.run(
        ["terraform", "fmt", "-no-color", "-write=false", "-list=false", "sources"],
        cwd=folder,
        env=terraform_env(folder),
        capture_output=True,
        text=True,
    )
    return {int(found) for found in re.findall(r" on sources/(\d+)\.tf line", told.stderr)}


def is_refused(text: str) -> bool:
    body = scan(text)
    try:
        for block in body.blocks:
            Expressions(text).body(read_block(text, block))
    except (ScanError, ValueError):
        return True
    return body.error is not None


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_terraform_and_the_reader_refuse_the_same(seed: int | None, tmp_path: Path) -> None:
    """No block is read that Terraform would not read, and none refused that it would."""
    expressions = fixed() if seed is None else [*spoilt(seed, 1_500)]
    texts = [f"a {{\n  x = {one}\n  y = 1\n}}\n" for one in expressions]
    refused = refused_by_terraform(texts, tmp_path)
    assert len(texts) > len(refused) > len(texts) / 10
    wrong = [
        (one, number in refused)
        for number, (one, text) in enumerate(zip(expressions, texts, strict=True))
        if is_refused(text) != (number in refused)
    ]
    assert wrong == []
