"""Real Terraform files: what ``terraform fmt`` accepts is located, and its values are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tfgate.hcl.files import decode
from tfgate.hcl.grammar import parser
from tfgate.hcl.jsonsyntax import scan_json
from tfgate.hcl.parse import parse_file
from tfgate.hcl.scanner import Block, scan, scan_body

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


def walk(text: str, block: Block) -> None:
    body = scan_body(text, block)
    assert body.error is None
    for inner in body.blocks:
        walk(text, inner)


@pytest.mark.parametrize("file", named(valid=True, json_syntax=False))
def test_what_terraform_accepts_is_located_and_read(file: str) -> None:
    """Every block of it, nested ones too, by scanner and parser alike."""
    text = read(file)
    body = scan(text)
    assert body.error is None
    for block in body.blocks:
        walk(text, block)
    shapes = parse_file(parser(None)[0], text)
    assert not shapes.failures
    assert len(shapes.bodies) == len(body.blocks)


@pytest.mark.parametrize("file", named(valid=True, json_syntax=True))
def test_json_is_located(file: str) -> None:
    """Where Terraform reads it."""
    assert scan_json(read(file)).error is None


@pytest.mark.parametrize("file", named(valid=False, json_syntax=False))
def test_what_terraform_refuses_is_refused_or_harmless(file: str) -> None:
    """A file with a syntax error is torn, or a block of it has no values, or both agree on all."""
    text = read(file)
    body = scan(text)
    shapes = parse_file(parser(None)[0], text)
    assert set(shapes.bodies) | set(shapes.failures) == {block.start for block in body.blocks}
