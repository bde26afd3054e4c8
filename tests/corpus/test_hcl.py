"""Real Terraform files: what ``terraform fmt`` accepts is located, and its values are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import hcl2
import pytest

from tfgate.hcl.expressions import Contents, read_block
from tfgate.hcl.files import decode
from tfgate.hcl.jsonsyntax import scan_json
from tfgate.hcl.lexical import ScanError
from tfgate.hcl.scanner import Block, scan, scan_body
from tfgate.hcl.values import Expressions

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
INDEX = CORPUS / "hcl-index.json"
ENTRIES: list[dict[str, Any]] = json.loads(INDEX.read_text("utf-8")) if INDEX.exists() else []

pytestmark = pytest.mark.skipif(not ENTRIES, reason="the corpus of HCL files is not beside us")


def named(*, valid: bool, json_syntax: bool) -> list[str]:
    return [
        one["file"]
        for one in ENTRIES
        if one["syntax_valid"] is valid and one["file"].endswith(".json") is json_syntax
    ]


def read(file: str) -> str:
    text = decode((CORPUS / file).read_bytes())
    assert isinstance(text, str)
    return text


def walk(text: str, block: Block, found: Contents) -> None:
    """Both walks over a body see the same."""
    body = scan_body(text, block)
    assert body.error is None
    assert {text[name.start : name.end] for name, _ in found.arguments} == set(body.attributes)
    for inner, nested in zip(body.blocks, found.blocks, strict=True):
        walk(text, inner, nested.body)


@pytest.mark.parametrize("file", named(valid=True, json_syntax=False))
def test_what_terraform_accepts_is_located_and_read(file: str) -> None:
    """Every block of it, nested ones too, by scanner and reader alike."""
    text = read(file)
    body = scan(text)
    assert body.error is None
    for block in body.blocks:
        walk(text, block, read_block(text, block))


def names(body: dict[str, Any]) -> dict[str, Any]:
    """Reduce a body to the names in it, as far down as lists of bodies or objects go."""
    found: dict[str, Any] = {}
    for name, value in body.items():
        inner = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
        nested = [names(one) for one in inner if [*one] != ["expression"]]
        if not name.startswith("__"):
            found[name.strip('"')] = nested or None
    return found


@pytest.mark.parametrize("file", named(valid=True, json_syntax=False))
def test_structure_is_that_of_python_hcl2(file: str) -> None:
    """Another reader of the language finds the same arguments and blocks."""
    text = read(file)
    ours: dict[str, Any] = {}
    for block in scan(text).blocks:
        inner = Expressions(text).body(read_block(text, block))
        for label in reversed(block.labels):
            inner = {label: inner}
        ours.setdefault(block.kind, []).append(inner)
    theirs = hcl2.loads(text + "\n")
    assert names(ours) == names(theirs)


@pytest.mark.parametrize("file", named(valid=True, json_syntax=True))
def test_json_is_located(file: str) -> None:
    """Where Terraform reads it."""
    assert scan_json(read(file)).error is None


@pytest.mark.parametrize("file", named(valid=False, json_syntax=False))
def test_what_terraform_refuses_is_refused(file: str) -> None:
    """By the scanner, the reader, or where its literals are read."""
    text = read(file)
    body = scan(text)
    if body.error is None:
        assert any(is_refused(text, block) for block in body.blocks)


def is_refused(text: str, block: Block) -> bool:
    try:
        Expressions(text).body(read_block(text, block))
    except (ScanError, ValueError):
        return True
    return False
