"""A gate in which each of a few hostile texts stands alone: one rule, change, waiver, commit each.

What is put together hides things: a formula counts at the start of a cell, a command at the start
of a line.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.support.gitrepo import Repo
from tests.support.plans import change, plan_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.faults.box import Box

RULE = """\
id = "H-{number}"
title = {title}
severity = "high"
enforcement = "soft-mandatory"
match = {{ types = ["aws_s3_bucket"] }}
when = "name == 's{number}'"
require = "after.tags.Owner"
message = {message}
references = [{reference}]
controls = {{ "soc2" = [{control}] }}
"""
EXAMPLE = """
[[tests]]
name = {name}
change = {{ type = "aws_s3_bucket", name = "s{number}", actions = ["create"], after = {{ tags = {{}} }} }}
expect = "fail"
"""  # noqa: E501
WAIVER = """
[[waivers]]
rule = "W-{number}"
address = {text}
reason = {text}
owner = {owner}
expires = 2099-01-31
ticket = {text}
"""


def toml(text: str) -> str:
    """Write a TOML string, which holds everything but lone surrogates."""
    shown = (c if c.isascii() and c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}"
             for c in text)  # fmt: skip
    return f'"{"".join(shown)}"'


def is_unicode(text: str) -> bool:
    """Whether files of text can hold it."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _line(text: str, most: int, otherwise: str) -> str:
    """Return a text where it may be one line of printable characters."""
    return toml(text if text.isprintable() and text.strip() and len(text) <= most else otherwise)


def rule_of(number: int, text: str) -> str:
    """Write a rule that has the text wherever it may."""
    prose = text if is_unicode(text) else "x"
    written = prose.replace("{", "{{").replace("}", "}}")
    address = "".join(char for char in prose if not char.isspace())
    rule = RULE.format(
        number=number,
        title=_line(text, 300, f"Rule {number}"),
        message=toml(f"{{after.bucket}} {{after.tags}} {written}"),
        reference=toml(f"https://a.example/{address}"),
        control=toml(prose[:100] if prose.strip() else "x"),
    )
    if prose.strip():
        rule += f"remediation = {toml(written)}\ndescription = {toml(prose)}\n"
    return rule + EXAMPLE.format(number=number, name=toml(prose if prose.strip() else "x"))


def change_of(number: int, text: str) -> dict[str, Any]:
    """Return a change that has the text wherever it may."""
    return change(
        f"aws_s3_bucket.s{number}[{json.dumps(text, ensure_ascii=False)}]",
        ["update"],
        {"bucket": text, "tags": {text: text}, "list": [text, {text: [text]}]},
        before={"bucket": "x", "tags": {}, "list": []},
        after_unknown={"arn": True},
        index=text,
        previous_address=text,
        action_reason=text,
        module_address=f"module.m[{json.dumps(text, ensure_ascii=False)}]",
        provider_name=text,
    )


def plan_of(texts: Sequence[str]) -> bytes:
    """Return a plan with a change of each, and the texts in its other sections."""
    return plan_bytes(
        *(change_of(number, text) for number, text in enumerate(texts)),
        *(change(f"aws_s3_bucket.old{number}", ["delete"], before={"bucket": text}, deposed=text)
          for number, text in enumerate(texts)),
        output_changes={
            f"o{number} {text}": {
                "actions": ["create"], "before": None, "after": text, "after_unknown": False,
            }
            for number, text in enumerate(texts)
        },
        variables={f"v{number} {text}": {"value": text} for number, text in enumerate(texts)},
        checks=[{"address": {"kind": text, "to_display": text}, "status": text,
                 "instances": [{"problems": [{"message": text}]}]} for text in texts],
    )  # fmt: skip


def source_of(number: int, text: str) -> str:
    """Return a file of Terraform whose comments and values have the text."""
    prose = text.replace("\0", "") if is_unicode(text) else "x"
    comment = " ".join(prose.splitlines())
    value = json.dumps(prose, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
    return (
        f"# checkov:skip=CKV_AWS_{number}:{comment}\n#tfsec:ignore:{comment}\n"
        f'resource "aws_s3_bucket" "s{number}" {{\n  bucket = {value}\n'
        f"  tags = {{ {value} = {value} }}\n}}\n"
    )


def settle(box: Box, texts: Sequence[str]) -> None:
    """Put a few texts into a box, which is used up by that."""
    sources = box.work / "sources"
    sources.mkdir()
    for number, text in enumerate(texts):
        (sources / f"f{number}.tf").write_text(source_of(number, text), encoding="utf-8")
    plan = plan_of(texts)
    for path in (box.work / "bad.json", box.work / "plans" / "prod" / "a.json"):
        path.write_bytes(plan)
    waivers = "".join(
        WAIVER.format(number=number, text=toml(text), owner=_line(text, 200, "ann"))
        for number, text in enumerate(texts)
        if text.strip() and is_unicode(text)
    )
    for name in ("tfgate", "history"):
        path = box.gate / f"{name}.toml"
        path.write_text(path.read_text() + waivers, encoding="utf-8")
    _commit(box, texts)


def forge(box: Box, texts: Sequence[str]) -> None:
    """Write `forged.jsonl`: a record of each text as whoever may write to the trail can make it."""
    lines = (box.gate / "audit.jsonl").read_text().splitlines()
    denied = next(one for one in map(json.loads, lines) if one.get("decision") == "deny")
    forged = []
    for number, text in enumerate(texts):
        hostile = _replaced(denied, text) | {"v": 1, "seq": number, "time": denied["time"], text: 1}
        forged.append(hostile | {"event": "decision", "decision": "deny"})
        forged.append({**denied, "seq": text, "time": text, "event": text, "prev": text})
    data = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in forged)
    (box.work / "forged.jsonl").write_text(data, encoding="utf-8", newline="\n")


def ask_for(box: Box, text: str) -> None:
    """Write `forged.json`: an approval request all of whose free texts are the text."""
    request = json.loads((box.work / "request.json").read_bytes())
    request |= {"operator": text, "decision_id": text, "authors": [{"name": text, "email": text}]}
    request["workspace"] = {"name": text, "backend": text, "identity": {text: text}}
    (box.work / "forged.json").write_text(json.dumps(request), encoding="utf-8")


def _replaced(value: Any, text: str) -> Any:
    """Return a value with the text in the place of every string."""
    if isinstance(value, dict):
        return {key: _replaced(part, text) for key, part in value.items()}
    if isinstance(value, list):
        return [_replaced(part, text) for part in value]
    return text if isinstance(value, str) else value


def _commit(box: Box, texts: Sequence[str]) -> None:
    repo = Repo.__new__(Repo)
    repo.path, repo.clock = box.gate / "repo", 1_770_000_000
    for number, text in enumerate(texts):
        rule = rule_of(number, text)
        for folder in (repo.path / "policy", box.gate / "policy"):
            (folder / "rules" / f"h-{number}.toml").write_text(rule, encoding="utf-8")
        prose = text.replace("\0", "") if is_unicode(text) else "x"
        who = "".join(c for c in prose if c not in "<>\n") or "x"
        message = f"{prose}\n\n{prose}\n\nReviewed-by: {' '.join(who.split())} <a@b.example>"
        repo.commit(message, (f"x{who}", f"{who}@acme.example"))
