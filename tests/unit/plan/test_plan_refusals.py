"""Inputs that are no whole, unambiguous plan: each is refused with a sentence that helps."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.support.plan_json import block, change, configuration, plan
from tfgate.errors import PlanError
from tfgate.plan import EVERYTHING, read_plan

LOG = b'{"@level":"info","@message":"Terraform 1.9.5","type":"version"}\n{"@level":"info"}\n'
PLAN = plan(change(after={"a": 1}))
"""Laid out with spaces, as Python does; Terraform writes none."""
TIGHT = json.dumps(json.loads(PLAN), separators=(",", ":")).encode()


def read_all(data: bytes) -> None:
    """Read every value of a plan."""
    for one in read_plan(data).changes:
        one.document(EVERYTHING)
        one.redacted(EVERYTHING)


def refusal(data: bytes) -> str:
    """The sentence that refuses ``data``, at once or when its values are asked for."""
    with pytest.raises(PlanError) as caught:
        read_all(data)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 500
    return text


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\xff\xfe \x00", "empty"),
        (b"  \n", "empty"),
        (b"PK\x03\x04\x14\x00\x08\x00", "binary plan file"),
        (LOG, "log that `terraform plan -json` prints"),
        (LOG.splitlines()[0], "log"),
        (b"\xef\xbb\xbf" + LOG, "log"),
        (LOG.decode().encode("utf-16"), "log"),
        (b'# main\nresource "aws_s3_bucket" "a" {\n}\n', "configuration (HCL)"),
        (b'terraform {\n  required_version = "1"\n}\n', "configuration (HCL)"),
        (b"Terraform will perform the following actions:\n", "prints it for people"),
        (b"hello", "no JSON"),
        (b"<html></html>", "no JSON"),
        (b"[]", "expected `object`, got `array`"),
        (b"null", "expected `object`, got `null`"),
        (b'"x"', "expected `object`, got `str`"),
        (b"{}", "no format_version"),
        (b'{"resource": {}}', "no format_version"),
        (b'{"version":4,"serial":1,"lineage":"x","resources":[]}', "a state, not a plan"),
        (b'{"format_version":"1.0","values":{"root_module":{}}}', "a state, not a plan"),
        (b'{"format_version":"1.0"}', "none of planned_values"),
        (b'{"format_version":"1.0","provider_schemas":{}}', "provider schemas"),
        (PLAN[:-20], f"cut off: its JSON ends at byte {len(PLAN) - 20}"),
        (TIGHT[:-20], f"cut off: its JSON ends at byte {len(TIGHT) - 20}"),
        (TIGHT + TIGHT, f"more than one JSON document, the second from byte {len(TIGHT)}"),
        (TIGHT + b"\n" + PLAN, "more than one JSON document"),
        (TIGHT[:-1], "cut off"),
        (PLAN + PLAN, f"more than one JSON document, the second from byte {len(PLAN)}"),
        (PLAN + b"\n" + PLAN, "more than one JSON document"),
        (PLAN + b"bye", "Text follows"),
        (plan(format_version="2.0"), "version 2.0 of the plan format"),
        (plan(format_version=1.2), "format_version: expected a string"),
        (plan(format_version="one"), "format_version: expected a string"),
        (plan(errored=True), "errored: true"),
        (plan(errored="no"), "errored: expected true or false"),
        (plan(complete=1), "complete: expected"),
        (plan(resource_changes={}), "resource_changes: expected `array | null`, got `object`"),
        (plan(resource_changes=[1]), "resource_changes[0]: expected `object`, got `int`"),
        (plan({"address": "a.b"}), "resource_changes[0]: object missing required field `change`"),
        (plan(change(), change("x.y", actions="create")), "resource_changes[1].change.actions"),
        (plan(change(actions=["explode"])), "resource_changes[0].change.actions: these words"),
        (plan(change(actions=[])), "resource_changes[0].change.actions: these words"),
        (plan(change(actions=["create", 3])), "resource_changes[0].change.actions[1]"),
        (plan(change(after=[])), "resource_changes[0].change.after: expected"),
        (plan(change(after=True)), "resource_changes[0].change.after: expected an object or null"),
        (plan(change(), change()), "resource_changes[1].address: aws_s3_bucket.a stands in"),
        (plan(resource_drift=[change(), change()]), "resource_drift[1].address"),
        (plan(output_changes={"o": {"actions": ["x"]}}), "output_changes.o.actions"),
        (plan(deferred_changes=[{"reason": "unknown"}]), "deferred_changes[0]"),
    ],
)
def test_the_sentence_says_what_it_is(data: bytes, says: str) -> None:
    """One sentence names the mistake, or the place of the malformed part."""
    assert says in refusal(data)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have(number: str) -> None:
    """They are refused wherever they stand, and named."""
    data = PLAN.replace(b'"a": 1', f'"a": {number}'.encode())
    assert f"{number} is not JSON" in refusal(data)


@pytest.mark.parametrize("text", [PLAN, TIGHT])
def test_a_number_no_double_holds(text: bytes) -> None:
    """It is refused when it is read, with its place."""
    assert "change.after" in refusal(re.sub(rb'"a": ?1', b'"a":1e999', text))


def test_integers_of_any_size_are_read() -> None:
    """Whole numbers beyond 64 bits keep their value."""
    big = 10**40
    (only,) = read_plan(plan(change(after={"a": big}))).changes
    assert only.document(EVERYTHING)["after"] == {"a": big}


@pytest.mark.parametrize("depth", [250, 900, 5_000, 200_000])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_deep_nesting(depth: int, brackets: str) -> None:
    """Values nested deeper than the bound are refused; no stack overflows."""
    opening = "[" if brackets == "[]" else '{"k":'
    nested = f"{opening * depth}1{brackets[1] * depth}"
    assert "levels deep" in refusal(PLAN.replace(b'"a": 1', f'"a": {nested}'.encode()))


@pytest.mark.parametrize(
    "escape", ["\\ud800", "\\udc00", "x\\ud83d y", "\\ud83d\\ud83d", "\\\\\\ud800"]
)
def test_half_a_surrogate_pair(escape: str) -> None:
    """It is told from a text that was cut off."""
    data = PLAN.replace(b'"a": 1', f'"a": "{escape}"'.encode())
    assert "half of a surrogate pair" in refusal(data)


def test_invalid_utf8_names_the_byte() -> None:
    """Bytes that are no UTF-8 are refused even in parts that nobody reads."""
    data = PLAN.replace(b"1.11.4", b"1.\xff1.4")
    assert f"not valid UTF-8 at byte {data.index(0xFF)}" in refusal(data)
    late = plan(comment="é" * 2_000_000)[:-2].replace(b"\\u00e9", "é".encode()) + b'\xc3"}'
    assert f"not valid UTF-8 at byte {len(late) - 3}" in refusal(late)


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_encodings_that_are_read(encoding: str, marked: bool) -> None:
    """How a shell encodes it, with a byte order mark or not, changes nothing but the digest."""
    text = PLAN.decode().replace("1.11.4", "1.11.4-é🎉").replace("\n", "\r\n")
    read = read_plan((("\ufeff" if marked else "") + text).encode(encoding))
    assert [one.address for one in read.changes] == ["aws_s3_bucket.a"]
    assert read.terraform_version == "1.11.4-é🎉"
    assert read.json_sha256 != read_plan(PLAN).json_sha256


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("mark", ["\ufeff", ""])
def test_a_text_that_its_encoding_does_not_allow(encoding: str, mark: str) -> None:
    """The sentence names the encoding and the byte, and says how PowerShell writes UTF-8."""
    data = (mark + PLAN.decode()).encode(encoding)
    said = refusal(data[:-1])
    assert encoding.upper()[:6] in said
    assert f"at byte {len(data) - int(encoding[4:6]) // 8}" in said
    assert "Out-File -Encoding utf8" in said


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("resource_changes", b"[]"),
        ("resource_changes", b"null"),
        ("format_version", b'"1.2"'),
        ("errored", b"false"),
        ("unheard_of", b"{}"),
    ],
)
@pytest.mark.parametrize("escaped", [False, True])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("pretty", [False, True])
def test_a_top_level_key_twice(
    key: str, value: bytes, escaped: bool, first: bool, pretty: bool
) -> None:
    """It is refused in front and behind, written plainly or with escapes, whatever it holds."""
    parts = {"unheard_of": [1, {"unheard_of": 2}], "errored": False}
    whole = json.loads(plan(change(), change("x.y"), **parts))
    layout: dict[str, Any] = {"indent": 2} if pretty else {"separators": (",", ":")}
    data = json.dumps(whole, **layout).encode()
    spelt = f"\\u{ord(key[0]):04x}{key[1:]}" if escaped else key
    extra = f'"{spelt}" : '.encode() + value
    data = data.replace(b"{", b"{" + extra + b",", 1) if first else data[:-1] + b"," + extra + b"}"
    assert f'the key "{key}" occurs twice' in refusal(data)


@pytest.mark.parametrize("indent", [None, 0, 2])
def test_keys_that_only_look_repeated(indent: int | None) -> None:
    """The same key in different objects, and keys inside strings, are no repetition."""
    parts = {"x": '"errored":true,"errored":true', "y": {"errored": 1, "format_version": "9"}}
    whole = json.loads(plan(change(after={"errored": "{,]"}), change("x.y"), **parts))
    data = json.dumps(whole, indent=indent, separators=(" ,", " : ")).encode()
    assert len(read_plan(data).changes) == 2


@pytest.mark.parametrize("level", ["entry", "body"])
def test_a_key_of_a_change_twice(level: str) -> None:
    """A change that says two things is refused when it is looked at."""
    data = json.dumps(json.loads(PLAN), separators=(",", ":"))
    extra = {
        "entry": ('"mode":"managed"', '"mode":"managed","\\u0063hange":{"actions":["no-op"]}'),
        "body": ('"before":null', '"before":null,"\\u0061fter":{"hidden":1}'),
    }[level]
    text = refusal(data.replace(*extra).encode())
    assert "occurs twice" in text
    assert "resource_changes[0]" in text


def test_a_deposed_object_beside_the_current_one() -> None:
    """The same address with another deposed key is another object."""
    read = read_plan(
        plan(change(), change(deposed="1a2b3c4d"), change(deposed="5e6f7a8b"), change("x.y"))
    )
    assert len(read.changes) == 4
    assert "stands in resource_changes[0]" in refusal(
        plan(change(deposed="1a2b3c4d"), change(deposed="1a2b3c4d"))
    )


def test_no_value_of_a_plan_is_in_an_error() -> None:
    """Not in malformed values, wrong shapes or unknown words either."""
    canary = "c4nary-hunter2"
    for data in (
        plan(change(actions=[canary])),
        plan(change(after=canary)),
        plan(change(after={"a": canary})).replace(b'"before": null', b'"before": ' + b"[1e999]"),
        plan(format_version=canary),
        plan(errored=canary),
        plan(change(index={"a": canary})),
        plan(timestamp=[canary]),
        plan(output_changes=canary),
        plan(change(after={"a": canary}))[:-40],
        plan(change(after={"a": canary})) + plan(change(after={"a": canary})),
        plan(change(after={"a": canary})).replace(b"c4nary", b"c4nary\xff"),
        f'{{"a": {canary}}}'.encode(),
    ):
        assert canary not in refusal(data)


def test_control_characters_in_addresses_are_escaped() -> None:
    """An address cannot move the cursor or start a line."""
    hostile = "aws_s3_bucket.a\x1b[2J\n::error::x\u202e"
    text = refusal(plan(change(hostile), change(hostile)))
    assert not re.search(r"[\x00-\x1f\x7f\u202e]", text)


def test_layout_and_order_of_keys_change_nothing() -> None:
    """Whoever keeps a plan may have laid it out; what cannot be proven fast is proven slowly."""
    whole = json.loads(plan(*(change(f"a_b.c{n}", after={"n": n}, index=n) for n in range(600))))
    layouts: list[dict[str, Any]] = [
        {"separators": (",", ":")},
        {"indent": 1},
        {"sort_keys": True},
        {"separators": (",", ":"), "sort_keys": True},
    ]
    documents = [
        [
            one.document(EVERYTHING)
            for one in read_plan(json.dumps(whole, **layout).encode()).changes
        ]
        for layout in layouts
    ]
    assert len(documents[0]) == 600
    assert all(other == documents[0] for other in documents)


@pytest.mark.parametrize("number", [0, 255, 256, 599])
def test_a_repeated_key_anywhere_among_many(number: int) -> None:
    """In the first and the last entry, and where one piece ends and the next begins."""
    whole = json.loads(plan(*(change(f"a_b.c{n}") for n in range(600))))
    data = json.dumps(whole, separators=(",", ":")).encode()
    mark = f'"name":"c{number}",'.encode()
    assert data.count(mark) == 1
    text = refusal(data.replace(mark, mark + b'"mode":"managed",'))
    assert f'resource_changes[{number}]: the key "mode" occurs twice' in text


def test_no_index_is_read_that_would_be_written_longer() -> None:
    """Behind ``1e18``, which is 19 bytes as a whole number, a repeated key could hide."""
    whole = json.loads(plan(change(index=7)))
    data = json.dumps(whole, separators=(",", ":")).encode()
    hidden = data.replace(b'"index":7', b'"index":1e18,"mode":"data"')
    assert "resource_changes[0].index: expected `int | str | null`" in refusal(hidden)


def test_a_newer_minor_version_is_read_with_a_warning() -> None:
    """The format promises that a reader may ignore what it does not know."""
    assert read_plan(PLAN).warnings == ()
    (warning,) = read_plan(plan(format_version="1.9")).warnings
    assert "1.9" in warning


def test_a_plan_without_changes_needs_no_resource_changes() -> None:
    """Terraform leaves the key out then."""
    read = read_plan(b'{"format_version":"0.1","planned_values":{"root_module":{}}}')
    assert list(read.changes) == []
    assert read.counts()["create"] == 0


LONG = "x" * 20_000


@pytest.mark.parametrize(
    "data",
    [
        plan(change(f'aws_s3_bucket.b["{LONG}"]')),
        plan(change(previous_address=f"aws_s3_bucket.{LONG}")),
        plan(change(index=LONG)),
        plan(change(deposed=LONG)),
        plan(change(), output_changes={LONG: {"actions": ["create"], "before": None, "after": 1}}),
    ],
)
def test_no_name_is_longer_than_a_report_has_room_for(data: bytes) -> None:
    """An address stands in every finding, report and record: ten million characters of one do not.

    The refusal shows none of them.
    """
    text = refusal(data)
    assert "length <= 16384" in text
    assert len(text) < 500


def planned(*addresses: str, **parts: Any) -> dict[str, Any]:
    """Planned values with these resources in the root module."""
    resources = [{"address": address, "mode": "managed", "values": {}} for address in addresses]
    return {"root_module": {"resources": resources, **parts}}


CHILD = {
    "address": 'module.m["k"]',
    "resources": [{"mode": "data", "type": "t", "name": "n", "index": "x", "values": {}}],
}


@pytest.mark.parametrize(
    ("data", "missing"),
    [
        (plan(planned_values=planned("t.a")), "t.a is planned"),
        (plan(resource_changes=None, planned_values=planned("t.a")), "t.a is planned"),
        (plan(change("t.a"), planned_values=planned("t.a", "t.b[0]")), "t.b[0] is planned"),
        (plan(change("t.a", deposed="00"), planned_values=planned("t.a")), "t.a is planned"),
        (plan(resource_drift=[change("t.a")], planned_values=planned("t.a")), "t.a is planned"),
        (
            plan(planned_values=planned(child_modules=[CHILD])),
            'module.m["k"].data.t.n["x"] is planned',
        ),
        (plan(planned_values=None, configuration=configuration(block("t.a"))), "t.a is configured"),
        (
            plan(
                planned_values=None,
                configuration=configuration(block("t.a", count_expression={"constant_value": 2})),
            ),
            "t.a is configured",
        ),
        (
            plan(
                change("t.b"),
                planned_values=None,
                configuration=configuration(block("t.a"), block("t.b")),
            ),
            "t.a is configured",
        ),
        (
            plan(
                change("t.b"),
                planned_values=None,
                configuration=configuration(
                    block("t.b"), module_calls={"m": {"module": {"resources": [block("t.c")]}}}
                ),
            ),
            "module.m.t.c is configured",
        ),
    ],
)
def test_a_plan_without_its_changes_is_no_whole_plan(data: bytes, missing: str) -> None:
    """The refusal names an address that is planned, or configured, and that no change speaks of."""
    said = refusal(data)
    assert "not a whole plan" in said
    assert missing in said


CALL = {"count_expression": {"constant_value": 0}, "module": {"resources": [block("t.c")]}}


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"complete": False, "configuration": configuration(block("t.a"), block("t.b"))},
        {"configuration": configuration(block("t.a"), block("t.b", for_each_expression={"x": 1}))},
        {"configuration": configuration(block("t.a"), module_calls={"m": CALL})},
        {"configuration": configuration(block("t.a"), {**block("t.d"), "mode": "data"})},
        {"configuration": configuration(block("t.a"), {**block("t.d"), "mode": "ephemeral"})},
        {"planned_values": planned(), "configuration": configuration(block("t.b"))},
    ],
)
@pytest.mark.parametrize("action", ["create", "no-op", "delete"])
def test_what_may_have_no_change(parts: dict[str, Any], action: str) -> None:
    """Blocks without instances, targeting and what a state knows alone make no plan less whole."""
    given = {"planned_values": None, **parts}
    read = read_plan(plan(change("t.a", actions=[action]), **given))
    assert [one.address for one in read.changes] == ["t.a"]


def test_a_destroying_plan_needs_no_planned_values() -> None:
    """It deletes what the state has, whatever else is configured."""
    config = configuration(block("t.a"), block("t.b"))
    entry = change("t.a", actions=["delete"])
    assert read_plan(plan(entry, planned_values=None, configuration=config)).changes


def test_what_is_deferred_has_its_entry() -> None:
    """A plan that puts a resource off speaks of it in deferred_changes."""
    deferred = [{"reason": "unknown", "resource_change": change("t.a")}]
    assert read_plan(plan(planned_values=planned("t.a"), deferred_changes=deferred)).deferred


def nameless(**parts: Any) -> dict[str, Any]:
    """An entry as Terraform 1.0 has it in resource_drift: without an address."""
    entry = change(actions=["update"], **{k: v for k, v in parts.items() if k == "after"})
    del entry["address"]
    return {**entry, **parts}


@pytest.mark.parametrize(
    ("parts", "address"),
    [
        ({}, "aws_s3_bucket.a"),
        ({"index": 0}, "aws_s3_bucket.a[0]"),
        ({"index": "k"}, 'aws_s3_bucket.a["k"]'),
        ({"index": 'a"\\\n'}, r'aws_s3_bucket.a["a\"\\\n"]'),
        ({"index": "${x}%{y}$z"}, 'aws_s3_bucket.a["$${x}%%{y}$z"]'),
        ({"index": "\x01\u200b\U000e0100"}, 'aws_s3_bucket.a["\\u0001\\u200b\U000e0100"]'),
        ({"mode": "data", "type": "t"}, "data.t.a"),
        ({"module_address": 'module.m["x"].module.n'}, 'module.m["x"].module.n.aws_s3_bucket.a'),
        ({"address": ""}, "aws_s3_bucket.a"),
    ],
)
@pytest.mark.parametrize("section", ["resource_drift", "resource_changes", "deferred_changes"])
def test_an_address_that_is_missing_is_made(
    section: str, parts: dict[str, Any], address: str
) -> None:
    """Of module, mode, type, name and index, as Terraform writes addresses."""
    entry = nameless(**parts)
    wrapped = {"reason": "unknown", "resource_change": entry}
    read = read_plan(plan(**{section: [wrapped if section == "deferred_changes" else entry]}))
    assert [one.address for one in (*read.changes, *read.drift, *read.deferred)] == [address]


def test_drift_of_terraform_1_0() -> None:
    """It leaves out address and index of every instance: none is taken for another one's repeat."""
    read = read_plan(plan(resource_drift=[nameless(), nameless()]))
    assert [one.address for one in read.drift] == ["aws_s3_bucket.a", "aws_s3_bucket.a"]
    said = refusal(plan(resource_changes=[nameless(), nameless()]))
    assert "resource_changes[1].address: aws_s3_bucket.a stands in" in said
    said = refusal(plan(resource_drift=[nameless(index=1), nameless(index=1)]))
    assert "resource_drift[1].address: aws_s3_bucket.a[1] stands in" in said


@pytest.mark.parametrize("part", ["type", "name"])
def test_an_address_that_cannot_be_made(part: str) -> None:
    """An entry that lacks a part of it as well is refused, with its place."""
    entry = nameless()
    del entry[part]
    assert "resource_drift[0]: expected an address, or" in refusal(plan(resource_drift=[entry]))


@pytest.mark.parametrize(
    ("name", "value"), [("importing", "i-1"), ("replace_paths", 3), ("generated_config", ["a"])]
)
def test_a_part_of_a_change_has_its_kind(name: str, value: Any) -> None:
    """What is no object, list or text where the format has one is refused, with its place."""
    entry = {"address": "aws_a.b", "type": "aws_a", "name": "b", "mode": "managed"}
    body = {"actions": ["create"], "before": None, "after": {}, name: value}
    plan = read_plan(
        json.dumps(
            {"format_version": "1.2", "resource_changes": [{**entry, "change": body}]}
        ).encode()
    )
    with pytest.raises(PlanError, match=rf"resource_changes\[0\]\.change\.{name}"):
        getattr(plan.changes[0], name)
