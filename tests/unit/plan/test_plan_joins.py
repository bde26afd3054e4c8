"""References through ``configuration``: what is sure, what may be, and what is lost."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.support.plan_json import block, change, configuration, plan
from tfgate.model.rule import Scope
from tfgate.plan import Plan, iter_subjects, read_plan
from tfgate.query.values import UNKNOWN, Maybe

LOST = Maybe(UNKNOWN, many=True)
MAYBE_K = Maybe("aws_kms_key.k")
BUCKET = change("aws_s3_bucket.b", after={"bucket": "logs-bucket"}, after_unknown={"id": True})
GUARD = "aws_s3_bucket_public_access_block"


def read(*changes: dict[str, Any], config: dict[str, Any], **parts: Any) -> Plan:
    """A complete plan with this configuration."""
    return read_plan(plan(*changes, **{"configuration": config, "complete": True, **parts}))


def names(found: list[Any]) -> list[Any]:
    """Addresses in an answer, with the marks of doubt left in place."""
    return [
        Maybe(one.value["address"]) if isinstance(one, Maybe) and not one.many
        else one if isinstance(one, Maybe) else one["address"]
        for one in found
    ]  # fmt: skip


def blocks(found: list[Any]) -> list[Any]:
    """The configuration address of each, with the marks of doubt left in place."""
    return [
        Maybe(one.value["config_address"]) if isinstance(one, Maybe) and not one.many
        else one if isinstance(one, Maybe) else one["config_address"]
        for one in found
    ]  # fmt: skip


def guard(**parts: Any) -> dict[str, Any]:
    """A public access block, created."""
    return change(f"{GUARD}.g", **{"after": {"block_public_acls": True}, **parts})


@pytest.mark.parametrize(
    ("references", "found"),
    [
        (["aws_kms_key.k.arn", "aws_kms_key.k"], [Maybe("aws_kms_key.k")]),
        (['aws_kms_key.k["a.b"].arn', 'aws_kms_key.k["a.b"]', "aws_kms_key.k"], [MAYBE_K]),
        (["data.aws_kms_key.k.arn", "data.aws_kms_key.k"], [Maybe("data.aws_kms_key.k")]),
        (["var.key"], []),
        (["path.module", "terraform.workspace", "count.index"], []),
        (["local.key"], [LOST]),
        (["local.key", "aws_kms_key.k.arn", "aws_kms_key.k"], [MAYBE_K, LOST]),
        (["module.keys.arn", "module.keys"], [Maybe("module.keys.aws_kms_key.inner")]),
        (["module.keys"], [Maybe("module.keys.aws_kms_key.inner"), LOST]),
        (["module.keys.lost", "module.keys"], [LOST]),
        (["module.keys.none", "module.keys"], [LOST]),
        (["module.nowhere.x", "module.nowhere"], [LOST]),
        (["each.value"], [LOST]),
        (["strange"], [LOST]),
        (["aws_kms_key"], [LOST]),
        ([""], [LOST]),
        ([], []),
    ],
)
def test_references_of_an_argument(references: list[str], found: list[Any]) -> None:
    """Without sources and values they are possible; what is lost is said to be lost."""
    outputs = {
        "arn": {"expression": {"references": ["aws_kms_key.inner.arn", "aws_kms_key.inner"]}},
        "lost": {"expression": {"references": ["local.x"]}},
    }
    module = {"resources": [block("aws_kms_key.inner")], "outputs": outputs}
    calls = {"keys": {"source": "./keys", "module": module}}
    bucket = block("aws_s3_bucket.b", kms_key_id=references)
    only = read(BUCKET, config=configuration(bucket, module_calls=calls))
    assert blocks(only.references(only.changes[0], "kms_key_id")) == found


def test_references_through_variables_of_nested_modules() -> None:
    """An argument of the call is followed into the caller, as often as modules nest."""
    inner = {"resources": [block("aws_s3_bucket.b", kms_key_id=["var.key_arn"])]}
    call = {"expressions": {"key_arn": {"references": ["var.key"]}}, "module": inner}
    outer = {"module_calls": {"inner": call}}
    calls = {
        "outer": {
            "expressions": {"key": {"references": ["aws_kms_key.k.arn", "aws_kms_key.k"]}},
            "module": outer,
        }
    }
    address = 'module.outer["x"].module.inner.aws_s3_bucket.b'
    bucket = change(address, module_address='module.outer["x"].module.inner')
    only = read(bucket, config=configuration(block("aws_kms_key.k"), module_calls=calls))
    assert blocks(only.references(only.changes[0], "kms_key_id")) == [MAYBE_K]
    assert blocks(only.references(only.changes[0])) == [MAYBE_K]


def test_a_circle_is_lost_and_ends() -> None:
    """No configuration has one, but plan JSON is anybody's."""
    module = {
        "outputs": {"o": {"expression": {"references": ["var.v"]}}},
        "variables": {"v": {}},
    }
    call = {"expressions": {"v": {"references": ["module.m.o", "module.m"]}}, "module": module}
    bucket = block("aws_s3_bucket.b", kms_key_id=["module.m.o", "module.m"])
    only = read(BUCKET, config=configuration(bucket, module_calls={"m": call}))
    assert blocks(only.references(only.changes[0], "kms_key_id")) == [LOST]


def test_references_of_other_subjects() -> None:
    """Outputs, module calls and providers have expressions as well."""
    key = {"references": ["aws_kms_key.k.arn", "aws_kms_key.k"]}
    config = configuration(
        block("aws_kms_key.k"),
        outputs={"o": {"expression": key}},
        module_calls={"m": {"expressions": {"key": key}, "module": {}}},
        provider_config={"aws": {"name": "aws", "expressions": {"key": key}}},
    )
    outputs = {"o": {"actions": ["create"], "after": 1}}
    only = read(config=config, output_changes=outputs)
    for scope in (Scope.OUTPUT, Scope.MODULE, Scope.PROVIDER):
        (subject,) = iter_subjects(only, scope)
        assert blocks(only.references(subject)) == [MAYBE_K]
    (whole,) = iter_subjects(only, Scope.PLAN)
    assert only.references(whole) is UNKNOWN


@pytest.mark.parametrize(
    ("argument", "after", "expected"),
    [
        ("bucket", {}, True),
        ("acl", {}, False),
        ("acl", {"acl": "private"}, False),
        ("nothing", {}, False),
        ("rule", {}, True),
        ("rule.days", {}, True),
        ("rule.days", {"rule": [{"days": 1}, {"days": 2}]}, True),
        ("rule.filter", {}, False),
        ("rule.filter", {"rule": [{"filter": [{"p": 1}]}]}, UNKNOWN),
        ("rule.filter", {"rule": [{"days": 1}, {"filter": []}]}, UNKNOWN),
        ("logging", {"logging": [{"target": "x"}]}, UNKNOWN),
        ("logging", {"logging": []}, False),
        ("tags_all", {"tags_all": {"a": "b"}}, False),
        ("kms_key_id", {}, False),
        ("lifecycle", {}, UNKNOWN),
        ("for_each", {}, True),
        ("count", {}, False),
    ],
)
def test_configured(argument: str, after: Any, expected: Any) -> None:
    """True and False are certain; what a dynamic block may have made is unknown."""
    bucket = block(
        "aws_s3_bucket.b",
        bucket="x",
        acl=None,
        rule=[{"days": {"constant_value": 1}}],
        for_each_expression={"references": ["var.x"]},
    )
    only = read(change("aws_s3_bucket.b", after=after), config=configuration(bucket))
    assert only.configured(only.changes[0], argument) is expected


def test_configured_of_an_unknown_argument() -> None:
    """A name that can only be an attribute's, or that another block shows to be one, is not set."""
    unknown = {"kms_key_id": True, "root_block": True, "size": True}
    config = configuration(block("aws_s3_bucket.b"), block("aws_s3_bucket.c", size=3))
    only = read(change("aws_s3_bucket.b", after_unknown=unknown), config=config)
    (bucket,) = only.changes
    assert only.configured(bucket, "kms_key_id") is False
    assert only.configured(bucket, "size") is False
    assert only.configured(bucket, "root_block") is UNKNOWN


@pytest.mark.parametrize(
    ("value", "expected"), [([{"port": 22}], UNKNOWN), ([], False), (UNKNOWN, False)]
)
def test_configured_of_an_attribute_that_others_write_as_blocks(value: Any, expected: Any) -> None:
    """A dynamic block may have made its objects (issue 15); the provider what is wholly unknown."""
    after, unknown = ({}, {"ingress": True}) if value is UNKNOWN else ({"ingress": value}, {})
    written = block("aws_security_group.b", ingress={"constant_value": [{"port": 443}]})
    only = read(
        change("aws_security_group.a", after=after, after_unknown=unknown),
        change("aws_security_group.b", after={"ingress": [{"port": 443}]}),
        config=configuration(block("aws_security_group.a"), written),
    )
    assert only.configured(only.changes[0], "ingress") is expected


def test_without_a_block_nothing_is_known() -> None:
    """Only what is to be deleted certainly has no block any more."""
    gone = change("aws_s3_bucket.gone", actions=["delete"], after=None)
    only = read(BUCKET, gone, config=configuration(block("x.y")))
    bucket, deleted = only.changes
    assert only.configured(bucket, "acl") is UNKNOWN
    assert blocks(only.references(bucket)) == [LOST]
    assert only.configured(deleted, "acl") is False
    assert blocks(only.references(deleted)) == []
    bare = read_plan(plan(BUCKET))
    assert bare.configured(bare.changes[0], "acl") is UNKNOWN
    assert bare.referenced_by(bare.changes[0], "*") == [LOST]


def referrers(config: dict[str, Any], *changes: dict[str, Any], **parts: Any) -> list[Any]:
    """Who refers to the first change."""
    only = read(*changes, config=config, **parts)
    return names(only.referenced_by(only.changes[0], GUARD))


B = ["aws_s3_bucket.b.id", "aws_s3_bucket.b"]


@pytest.mark.parametrize(
    ("arguments", "after", "found"),
    [
        ({"bucket": B}, {}, [Maybe(f"{GUARD}.g")]),
        ({"bucket": B}, {"bucket": "logs-bucket"}, [f"{GUARD}.g"]),
        ({"bucket": B}, {"bucket": None}, []),
        ({"note": B}, {"note": "logs-bucket"}, [f"{GUARD}.g"]),
        ({"note": B}, {"note": "Logs-Bucket"}, [Maybe(f"{GUARD}.g")]),
        ({"bucket": ["aws_s3_bucket.other.id", "aws_s3_bucket.other"]}, {}, []),
        ({"bucket": ["local.name"]}, {"bucket": "elsewhere"}, []),
        ({"bucket": ["local.name"]}, {"bucket": "logs-bucket"}, [f"{GUARD}.g"]),
        ({"note": ["local.name"]}, {"note": "logs-bucket"}, [Maybe(f"{GUARD}.g")]),
        ({"bucket": ["local.name"]}, {"bucket": "x/logs-bucket/*"}, [Maybe(f"{GUARD}.g")]),
        ({"bucket": "logs-bucket"}, {"bucket": "logs-bucket"}, [f"{GUARD}.g"]),
        ({"bucket": ["var.name"]}, {"bucket": "logs-bucket"}, [f"{GUARD}.g"]),
        ({"note": "logs-bucket"}, {"note": "logs-bucket"}, [Maybe(f"{GUARD}.g")]),
        ({"bucket": B, "tags": ["local.tags"]}, {}, [Maybe(f"{GUARD}.g")]),
        ({"bucket": "other", "tags": B}, {"bucket": "other"}, []),
        ({"bucket": "x"}, {"bucket": "x", "d": [{"y": "logs-bucket"}]}, [Maybe(f"{GUARD}.g")]),
    ],
)  # fmt: skip
def test_referenced_by(arguments: dict[str, Any], after: dict[str, Any], found: list[Any]) -> None:
    """The name is a reference where it is mentioned or asked for, and may be one elsewhere."""
    config = configuration(block("aws_s3_bucket.b"), block(f"{GUARD}.g", **arguments))
    assert referrers(config, BUCKET, guard(after=after)) == found


def test_an_unknown_argument_through_a_local_may_refer_to_anything() -> None:
    """It would be known if it referred to nothing new."""
    config = configuration(block("aws_s3_bucket.b"), block(f"{GUARD}.g", bucket=["local.name"]))
    assert referrers(config, BUCKET, guard(after_unknown={"bucket": True})) == [LOST]


def test_what_is_deleted_or_not_made_refers_to_nothing() -> None:
    """A block with count 0 has no instance, and an instance to be deleted protects nothing."""
    config = configuration(block("aws_s3_bucket.b"), block(f"{GUARD}.g", bucket=B))
    assert referrers(config, BUCKET) == []
    assert referrers(config, BUCKET, guard(actions=["delete"], after=None)) == []


def test_a_targeted_plan_may_leave_referrers_out() -> None:
    """What such a plan does not show may exist all the same."""
    config = configuration(block("aws_s3_bucket.b"), block(f"{GUARD}.g", bucket=B))
    assert referrers(config, BUCKET, complete=False) == [LOST]
    assert referrers(config, BUCKET, complete=None) == [LOST]
    deferred = [{"reason": "unknown", "resource_change": guard()}]
    assert referrers(config, BUCKET, deferred_changes=deferred) == [LOST]


def keyed(kind: str, key: str, **parts: Any) -> dict[str, Any]:
    """An instance with a for_each key."""
    return change(f'{kind}["{key}"]', index=key, **parts)


@pytest.mark.parametrize(
    ("references", "keys", "found"),
    [
        ([*B, "each.key"], ["a", "b"], [Maybe(f'{GUARD}.g["a"]'), Maybe(f'{GUARD}.g["b"]')]),
        ([*B, "each.key"], ["b"], [Maybe(f'{GUARD}.g["b"]')]),
        (['aws_s3_bucket.b["a"]', B[1]], ["z"], [Maybe(f'{GUARD}.g["z"]')]),
        (['aws_s3_bucket.b["b"].id', 'aws_s3_bucket.b["b"]', B[1]], ["a"], []),
        (B, ["x", "y"], [Maybe(f'{GUARD}.g["x"]'), Maybe(f'{GUARD}.g["y"]')]),
        (["each.value.id", "each.value"], ["a"], [Maybe(f'{GUARD}.g["a"]')]),
    ],
)  # fmt: skip
def test_instances_belong_together_by_key(
    references: list[str], keys: list[str], found: list[Any]
) -> None:
    """A configuration has no instances: only constant keys rule any of them out."""
    over = {"for_each_expression": {"references": ["aws_s3_bucket.b"]}}
    config = configuration(
        block("aws_s3_bucket.b", for_each_expression={"references": ["var.x"]}),
        block(f"{GUARD}.g", bucket=references, **over),
    )
    target = keyed("aws_s3_bucket.b", "a", after_unknown={"id": True})
    guards = [keyed(f"{GUARD}.g", key) for key in keys]
    assert referrers(config, target, *guards) == found


def test_instances_of_one_module_do_not_refer_into_another() -> None:
    """Two instances of a module have the same blocks, but not the same objects."""
    module = {"resources": [block("aws_s3_bucket.b"), block(f"{GUARD}.g", bucket=B)]}
    config = configuration(module_calls={"m": {"expressions": {}, "module": module}})
    made = [
        change(f'module.m["{key}"].{name}', module_address=f'module.m["{key}"]')
        for name in ("aws_s3_bucket.b", f"{GUARD}.g")
        for key in ("x", "y")
    ]
    assert referrers(config, *made) == [Maybe(f'module.m["x"].{GUARD}.g')]


def test_the_redacted_documents_of_referrers_hide_what_is_sensitive() -> None:
    """What a rule shows of a joined resource is redacted as its own subject is."""
    marks = {"before_sensitive": False, "after_sensitive": {"note": True}}
    config = configuration(block("aws_s3_bucket.b"), block(f"{GUARD}.g", bucket=B))
    after = {"bucket": "logs-bucket", "note": "canary"}
    only = read(BUCKET, guard(after=after, **marks), config=config)
    (plain,) = only.referenced_by(only.changes[0], GUARD)
    assert plain["after"]["note"] == "canary"
    (hidden,) = only.referenced_by(only.changes[0], GUARD, redacted=True)
    assert "canary" not in repr(hidden)


def test_thousands_of_referrers_cost_linear_time() -> None:
    """One bucket with 4,000 referrers, and 4,000 buckets with one each, are both quick."""
    size = 4_000
    blocks = [block("aws_s3_bucket.b")]
    changes = [BUCKET]
    for number in range(size):
        blocks += [
            block(f"aws_s3_bucket.b{number}", bucket=f"bucket-{number}"),
            block(f"{GUARD}.g{number}", bucket=B),
            block(f"{GUARD}.h{number}", bucket=[f"aws_s3_bucket.b{number}"]),
        ]
        changes += [
            change(f"aws_s3_bucket.b{number}", after={"bucket": f"bucket-{number}"}),
            change(f"{GUARD}.g{number}", after={"bucket": "logs-bucket"}),
            change(f"{GUARD}.h{number}", after={"bucket": f"bucket-{number}"}),
        ]
    only = read(*changes, config=configuration(*blocks))
    start = time.perf_counter()
    assert len(only.referenced_by(only.changes[0], GUARD)) == size
    for one in only.changes[1::3]:
        assert names(only.referenced_by(one, GUARD)) == [f"{GUARD}.h{one.name[1:]}"]
    assert time.perf_counter() - start < 10


def test_blocks_that_all_refer_to_all_are_not_told_apart() -> None:
    """Each of 1,100 blocks refers to 1,100: whether one refers to another is not known any more."""
    size = 1_100
    targets = [f"aws_s3_bucket.b{number}" for number in range(size)]
    guards = [f"{GUARD}.g{number}" for number in range(size)]
    module = {"resources": [block(name, bucket=["var.all"]) for name in guards]}
    call = {"expressions": {"all": {"references": targets}}, "module": module}
    config = configuration(*map(block, targets), module_calls={"m": call})
    made = [change(f"module.m.{name}", module_address="module.m") for name in guards]
    only = read(*map(change, targets), *made, config=config)
    start = time.perf_counter()
    for one in only.changes[:size]:
        assert only.referenced_by(one, GUARD) == [Maybe(UNKNOWN, many=True)]
    assert blocks(only.references(only.changes[-1], "bucket")) == [Maybe(UNKNOWN, many=True)]
    assert time.perf_counter() - start < 10


def test_more_references_than_are_told_apart_make_the_others_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was found stays found; that there is no other is not said."""
    monkeypatch.setattr("tfgate.plan.references.EDGES", 3)
    blocks = [block(f"{GUARD}.g{number}", bucket=B) for number in range(9)]
    made = [change(f"{GUARD}.g{n}", after_unknown={"bucket": True}) for n in range(9)]
    only = read(BUCKET, *made, config=configuration(block("aws_s3_bucket.b"), *blocks))
    *found, others = only.referenced_by(only.changes[0], GUARD)
    assert len(found) >= 3
    assert others == Maybe(UNKNOWN, many=True)


def test_what_other_types_refer_to_leaves_an_answer_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """References are counted for each question: those of a type that is not asked for are not."""
    monkeypatch.setattr("tfgate.plan.references.EDGES", 3)
    blocks = [block(f"aws_other.o{number}", bucket=B) for number in range(9)]
    made = [change(f"aws_other.o{number}") for number in range(9)]
    config = configuration(block("aws_s3_bucket.b"), block(f"{GUARD}.g", bucket=B), *blocks)
    assert referrers(config, BUCKET, guard(), *made) == [Maybe(f"{GUARD}.g")]


def test_a_resource_that_is_wholly_unknown_is_asked_about_all_the_same() -> None:
    """Nobody can name it by its values; who refers to it in the configuration is known."""
    config = configuration(block("aws_s3_bucket.b"), block(f"{GUARD}.g", bucket=B))
    assert referrers(config, change("aws_s3_bucket.b", after_unknown=True), guard()) == [
        Maybe(f"{GUARD}.g")
    ]
