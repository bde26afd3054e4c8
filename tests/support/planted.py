"""A plan with secrets in every place that is sensitive, rules that look at them all, and a search.

Shapes: strings, numbers, elements of lists, keys below a sensitive map, blocks, short ones, ones
that begin as others do, values that are unknown as well, and JSON inside strings.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import json
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.support.plans import change, plan_data, rule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STEM = "CANARY-7f3a"
"""What every long secret begins with: two of them differ only behind it."""
SHORT = "Zq~9"
"""One that a list of all words of four characters would find by its hash."""
NUMBER = 73916482051

_ODD = 'é"<&\n'
"""Makes a secret look different in JSON, HTML and URLs."""


def secret(place: str) -> str:
    """Return the secret of a place."""
    return f"{STEM}-{place}-{_ODD}"


EXPRESSIONS = {
    "whole": "after",
    "direct": "[after.password]",
    "joined": "[join('-', ['x', after.password])]",
    "nested": "after.block[*].token",
    "element": "after.list[?starts_with(@, 'CANARY')]",
    "number": "[after.number, to_string(after.number)]",
    "short": "[after.pin, upper(after.pin), reverse(after.pin)]",
    "before": "[before.password]",
    "let": "[$p]",
    "let-parsed": "[$j.Secret]",
    "parsed": "parse_json(after.policy).Secret && [parse_json(after.policy).Secret]",
    "config": "[config.expressions.password.constant_value]",
    "config-all": "[config]",
    "sorted": "[sort([after.password, 'x'])]",
    "split": "split(after.password, '-')",
    "keys": "keys(after.map)",
    "values": "values(after.map)",
    "star": "after.map.*",
    "counted": "[count_by([after.password], &@)]",
    "merged": "[merge(after.map, {a: 'b'})]",
    "filtered": "[@][?starts_with(after.password, 'CANARY')].after.password",
    "matches": "matches(after.password, 'CANARY') && [after.password]",
    "grouped": "[{a: after.password, b: [after.list]}]",
    "as-text": "[to_string(after)]",
    "unknown": "[after.both]",
    "joined-plan": "referenced_by('aws_s3_bucket')[*].after.password",
    "kind": "[looks_secret(after.password)]",
}
"""What takes the secrets apart, by the name of the rule that does."""

RAISING = {
    "abs": "abs(after.password)",
    "sort": "sort(after.password)",
    "json": "parse_json(after.password)",
    "regex": "matches('x', after.regex)",
    "cidr": "cidr_contains(after.password, '10.0.0.0/8')",
    "semver": "semver_satisfies(after.password, '> 1')",
    "age": "age_days(after.password)",
    "order": "after.password < `3`",
    "keys": "keys(after.password)",
    "count": "count_by([after.number], &@)",
    "let": "abs($p)",
}
"""What fails on them."""

MARKS = {
    "password": True, "block": [{"token": True}], "policy": True, "map": True, "number": True,
    "pin": True, "list": [False, True], "both": True, "regex": True,
}  # fmt: skip
LETS = 'let = { p = "after.password", j = "parse_json(after.policy)" }\n'
ALL = 'match = { actions = ["create", "update", "delete", "replace"] }'
SHOWN = (
    "{address} {after} {after.password} {after.list[1]} {after.map} {before} {config} {@item} "
    "{item} {length(after.password)} {join('-', [after.password, $p])} {to_string(after)} "
    "{$j.Secret}"
)


def values(owner: str | None) -> dict[str, Any]:
    """Return the attributes of a resource."""
    return {
        "bucket": "logs",
        "tags": {} if owner is None else {"Owner": owner},
        "password": secret("value"),
        "block": [{"token": secret("block"), "plain": "seen"}],
        "policy": json.dumps({"Secret": secret("policy"), "List": [secret("policy-list")]}),
        "map": {secret("key"): secret("mapped"), "inner": {"deep": [secret("deep")]}},
        "number": NUMBER,
        "pin": SHORT,
        "list": ["plain", secret("element")],
        "both": secret("both"),
        "regex": f"({STEM}",
    }


def planted(owner: str | None = "me", **sections: Any) -> dict[str, Any]:
    """Return a plan with a secret in every place that is sensitive."""
    now, marks = values(owner), dict(MARKS)
    old = {**now, "password": secret("old"), "number": NUMBER + 1}
    sensitive: dict[str, Any] = {"after_sensitive": marks, "before_sensitive": marks}
    whole = {**sensitive, "before_sensitive": True, "before": old}
    moved = change("aws_s3_bucket.logs", ["update"], now, before=old, **sensitive)
    parts: dict[str, Any] = {
        "resource_drift": [moved],
        "deferred_changes": [{"reason": "provider_config_unknown", "resource_change": moved}],
        "output_changes": {
            "token": {
                "actions": ["create"], "before": secret("out-old"), "after": secret("out"),
                "after_unknown": False, "before_sensitive": True, "after_sensitive": True,
            },
        },
        "prior_state": {
            "format_version": "1.0",
            "values": {"root_module": {"resources": [{"values": old, "sensitive_values": marks}]}},
        },
        "planned_values": {
            "outputs": {"token": {"sensitive": True, "value": secret("out")}},
            "root_module": {
                "resources": [
                    {"address": "aws_s3_bucket.logs", "values": now, "sensitive_values": marks}
                ],
            },
        },
        "variables": {"db": {"value": secret("variable")}, "plain": {"value": "shown"}},
        "configuration": _configuration(),
    }  # fmt: skip
    return plan_data(
        change("aws_s3_bucket.logs", ["create"], now, after_sensitive=marks,
               after_unknown={"arn": True, "both": True}),
        change("aws_s3_bucket.gone", ["delete"], None, **whole),
        change("aws_s3_bucket.other", ["update"],
               {**now, "tags": {"Owner": "x"}, "arn": "arn:aws:s3:::other"}, **whole),
        **{**parts, **sections},
    )  # fmt: skip


def _configuration() -> dict[str, Any]:
    resources = [
        {
            "address": f"aws_s3_bucket.{name}", "mode": "managed", "type": "aws_s3_bucket",
            "name": name, "provider_config_key": "aws", "schema_version": 0,
            "expressions": {
                "password": {"constant_value": secret("config")},
                "bucket": {"references": ["aws_s3_bucket.other"] if name == "logs" else []},
            },
            "provisioners": [
                {"type": "local-exec", "expressions": {
                    "environment": {"constant_value": {"DB_PASSWORD": secret("provisioner")}}}},
            ],
        }
        for name in ("logs", "other")
    ]  # fmt: skip
    aws = {
        "name": "aws",
        "full_name": "registry.terraform.io/hashicorp/aws",
        "expressions": {
            "secret_key": {"constant_value": secret("provider")},
            "token": {"constant_value": secret("provider")},
            "assume_role": [{"external_id_secret": {"constant_value": secret("provider")}}],
            "region": {"constant_value": "eu-west-1"},
        },
    }
    module = {"variables": {"api_token": {"sensitive": True, "default": secret("inner-default")}}}
    call = {
        "source": "./net",
        "expressions": {"api_token": {"constant_value": secret("call")}},
        "module": module,
    }
    return {
        "provider_config": {"aws": aws},
        "root_module": {
            "variables": {
                "db": {"sensitive": True, "default": secret("default")},
                "plain": {"default": "shown"},
            },
            "outputs": {"token": {"sensitive": True, "expression": {
                "constant_value": secret("out-config")}}},
            "resources": resources,
            "module_calls": {"net": call},
        },
    }  # fmt: skip


def looking() -> str:
    """Return the rules that look at the secrets, without those that fail on them."""
    level = {"enforcement": "advisory", "on_unknown": "allow"}
    tables = [
        rule(
            f"T-{name.upper()}",
            when="before" if name == "before" else "after",
            deny=text,
            message=SHOWN,
            more=LETS + ALL,
            **level,
        )
        for name, text in EXPRESSIONS.items()
    ]
    for scope, text in {
        "plan": "[variables.db, @]",
        "output": "[after, @]",
        "drift": "[after, @]",
        "module": "[expressions, @]",
        "provider": "[expressions, @]",
    }.items():
        fields = {
            "plan": "{variables} {changes}",
            "module": "{expressions}",
            "provider": "{expressions}",
        }.get(scope, "{after} {before}")
        tables.append(
            rule(
                f"S-{scope.upper()}",
                scope=scope,
                deny=text,
                message=f"{{@item}} {fields}",
                **level,
            )
        )
    return "".join(tables)


def raising() -> str:
    """Return the rules that fail on them."""
    return "".join(
        rule(f"E-{name.upper()}", when="after", deny=text, message=SHOWN, more=LETS + ALL)
        for name, text in RAISING.items()
    )


def secrets() -> Iterator[str]:
    """Return every secret that is a string."""

    def walk(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for key, part in value.items():
                yield from walk(key)
                yield from walk(part)
        elif isinstance(value, list):
            for part in value:
                yield from walk(part)
        elif isinstance(value, str) and (STEM in value or value == SHORT):
            yield value

    yield from sorted(set(walk(planted())))


def _forms(text: bytes) -> Iterator[bytes]:
    """Yield what of a text shows through an encoding."""
    yield text
    yield text[::-1]
    yield text.hex().encode()
    yield text.hex().upper().encode()
    yield quote(text).encode()
    yield "".join(f"\\u{byte:04x}" for byte in text).encode()
    for lead in range(3):  # wherever it begins within three bytes
        whole = base64.b64encode(b"\0" * lead + text)
        inner = whole[lead and 4 : -4]
        yield inner
        yield inner.replace(b"+", b"-").replace(b"/", b"_")


def _digests(text: str) -> Iterator[bytes]:
    for form in (text, json.dumps(text), json.dumps(text, ensure_ascii=False)):
        for name in ("md5", "sha1", "sha256", "sha512"):
            digest = hashlib.new(name, form.encode()).digest()
            yield digest.hex().encode()
            yield base64.b64encode(digest)[:24]


def needles() -> dict[bytes, str]:
    """Return what must not be found, and what it is."""
    found = {form: f"{STEM} as {form!r}" for form in _forms(STEM.encode())}
    found |= dict.fromkeys((STEM.lower().encode(),), f"{STEM} in lower case")
    found |= dict.fromkeys((SHORT.encode(), SHORT[::-1].encode()), "the short secret")
    found |= {str(NUMBER).encode(): "the number", f"{NUMBER:,}".encode(): "the number"}
    for text in (*secrets(), str(NUMBER)):
        found |= dict.fromkeys(_digests(text), f"a plain digest of {text!r}")
    return found


def found_in(data: bytes, needles: dict[bytes, str]) -> list[str]:
    """Say which secrets the bytes hold, compressed ones included."""
    texts = [data]
    if data[:2] == b"\x1f\x8b":
        texts.append(gzip.decompress(data))
    if data[:1] == b"\x78":
        with contextlib.suppress(zlib.error):
            texts.append(zlib.decompress(data))
    return sorted({what for text in texts for needle, what in needles.items() if needle in text})


def files_with(
    root: Path, needles: dict[bytes, str], given: frozenset[str], since: int = 0
) -> list[str]:
    """Return the files below a folder that hold a secret and were not given one (by name).

    ``since`` leaves out what has not changed since then, in nanoseconds.
    """
    return [
        f"{path.relative_to(root)}: {what}"
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name not in given and path.stat().st_mtime_ns >= since
        for what in found_in(path.read_bytes(), needles)
    ]
