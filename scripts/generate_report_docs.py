"""Fill the generated parts of docs/reference/reports.md: examples, formats, fields.

Usage: python scripts/generate_report_docs.py [--check]

With --check nothing is written, and the exit code is 1 where the page is not current.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "reports.md"
SCHEMA = ROOT / "tfgate" / "report" / "schemas" / "decision.v1.schema.json"

sys.path.insert(0, str(ROOT))  # for tests.support, which has the decisions

from tests.support.decisions import CASES, context, decision, outcome  # noqa: E402
from tfgate.model.rule import Enforcement  # noqa: E402
from tfgate.report import FORMATS, render  # noqa: E402

EXAMPLE = msgspec.structs.replace(CASES["deny-soft"], passed={}, rulesets=())
ALLOWED = decision(
    outcome(address="aws_route53_failover.www", enforcement=Enforcement.ADVISORY), rulesets=()
)
LANGUAGES = {"json": "json", "gitlab": "json", "junit": "xml", "markdown": "markdown"}


def main(arguments: list[str]) -> int:
    """Write the page, or say whether it is current."""
    old = PAGE.read_text("utf-8")
    new = re.sub(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- end -->)", _fill, old, flags=re.DOTALL)
    if "--check" not in arguments:
        PAGE.write_text(new, "utf-8")
        return 0
    if new != old:
        print(f"{PAGE.name} is not current: run python scripts/generate_report_docs.py")
    return int(new != old)


def _fill(found: re.Match[str]) -> str:
    return f"{found[1]}{_part(found[2])}{found[3]}"


def _part(name: str) -> str:
    """Return the text for one place in the page."""
    if name == "formats":
        rows = (
            f"| [`{entry.name}`](#{entry.name}) | {entry.summary} |" for entry in FORMATS.values()
        )
        return "\n".join(("| format | for |", "| --- | --- |", *rows)) + "\n"
    if name.endswith("-fields"):
        return _fields(name.removesuffix("-fields"))
    if name == "sarif":
        log = json.loads(render("sarif", EXAMPLE, context()))
        return _fence("json", json.dumps(log["runs"][0]["results"][0], indent=2) + "\n")
    if name == "atlantis-allow":
        return _fence("", render("atlantis", ALLOWED, context()))
    return _fence(LANGUAGES.get(name, ""), render(name, EXAMPLE, context()))


def _fence(language: str, text: str) -> str:
    return f"````{language}\n{text}````\n"


def _fields(name: str) -> str:
    """Describe the fields of an object of the JSON report, out of its schema."""
    schema = json.loads(SCHEMA.read_text("utf-8"))
    described = schema if name == "json" else schema["$defs"][name]
    rows = [
        f"| `{key}` | {'yes' if key in described['required'] else ''} | {_meaning(field, schema)} |"
        for key, field in described["properties"].items()
    ]
    return "\n".join(("| field | always | meaning |", "| --- | --- | --- |", *rows)) + "\n"


def _meaning(field: dict[str, Any], schema: dict[str, Any]) -> str:
    if "$ref" in field:
        field = schema["$defs"][field["$ref"].rpartition("/")[2]]
    text = field["description"].replace("|", "\\|")
    words = ", ".join(f"`{word}`" for word in field.get("enum", ()))
    return f"{text} One of {words}." if words else text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
