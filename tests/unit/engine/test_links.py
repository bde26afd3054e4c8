"""References as objects, and references from there: rule → bucket → key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support import plans
from tests.support.plan_json import block, change, configuration, plan
from tfgate.engine.evaluate import evaluate
from tfgate.plan import read_plan

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.model.decision import Decision

LOGGING = "aws_s3_bucket_logging.l"
KEY = "arn:aws:kms:eu-west-1:1:key/k"
HOPS = "references('bucket')[].references('kms_key_id', @)[]"


def judged(
    folder: Path, *, key: dict[str, Any] | None = None, message: str = "m", **rule: str
) -> Decision:
    """Evaluate a rule on a logging block, whose bucket has a key."""
    config = configuration(
        block(LOGGING, bucket=["aws_s3_bucket.b.id", "aws_s3_bucket.b"]),
        block("aws_s3_bucket.b", kms_key_id=["aws_kms_key.k.arn", "aws_kms_key.k"]),
        block("aws_kms_key.k", policy=["aws_s3_bucket.b.arn", "aws_s3_bucket.b"]),
    )
    made = plan(
        change(LOGGING, after={"bucket": "logs"}),
        change("aws_s3_bucket.b", after={"bucket": "logs", "kms_key_id": KEY}),
        change(
            "aws_kms_key.k",
            **(key or {"after": {"arn": KEY, "enable_key_rotation": True, "policy": "logs"}}),
        ),
        configuration=config,
        complete=True,
    )
    rules = plans.rule(
        message=message, more='match = { types = ["aws_s3_bucket_logging"] }', **rule
    )
    return evaluate(read_plan(made), [plans.ruleset(folder, rules)], plans.context())


def outcome(decision: Decision) -> str:
    """What the one rule comes to."""
    return decision.outcomes[0].outcome.value if decision.outcomes else "pass"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("references('bucket')[0].address == 'aws_s3_bucket.b'", "pass"),
        ("references('bucket')[0].certain", "pass"),
        ("references('bucket')[?type == 'aws_s3_bucket'].after.bucket | [0] == 'logs'", "pass"),
        (f"{HOPS} | [0].after.enable_key_rotation", "pass"),
        (f"{HOPS} | [0].after.enable_key_rotation == `false`", "fail"),
        (f"{HOPS}.referenced_by('aws_s3_bucket', @)[] | [0].address == 'aws_s3_bucket.b'", "pass"),
        # A circle is gone round as often as it is written, and no more.
        (
            f"{HOPS}.references('policy', @)[].references('kms_key_id', @)[] | length(@) == `1`",
            "pass",
        ),
        ("references('bucket', after.missing)", "error"),
        ("references('bucket', config)", "error"),
    ],
)
def test_a_second_hop_works_from_a_reference(
    tmp_path: Path, expression: str, expected: str
) -> None:
    """Each element is what a rule on the resource sees, and may be asked in turn."""
    assert outcome(judged(tmp_path, require=expression)) == expected


def test_what_is_not_known_of_the_second_hop_is_unknown(tmp_path: Path) -> None:
    """A key whose ARN is not known yet may be the bucket's, and its rotation may be anything."""
    key = {"after": {}, "after_unknown": {"arn": True, "enable_key_rotation": True}}
    assert outcome(judged(tmp_path, key=key, require=f"{HOPS}.after.enable_key_rotation")) == (
        "unknown"
    )


def test_a_sensitive_value_of_another_resource_is_not_shown(tmp_path: Path) -> None:
    """Messages see the redacted view of what a reference leads to."""
    key = {
        "after": {"arn": KEY, "description": "correct horse"},
        "after_sensitive": {"description": True},
    }
    decision = judged(
        tmp_path,
        key=key,
        deny=HOPS,
        message="{address}: {@item}",
    )
    assert outcome(decision) == "fail"
    assert "aws_kms_key.k" in decision.outcomes[0].message
    assert "horse" not in decision.outcomes[0].message


def test_thousands_of_instances_are_not_told_apart_one_by_one(tmp_path: Path) -> None:
    """What may be any of 3,000 instances is one doubt, in linear time."""
    size = 3_000
    config = configuration(
        block("aws_subnet.s", count_expression={"constant_value": size}),
        block("aws_instance.i", subnet_id=["aws_subnet.s"], count_expression={"constant_value": 1}),
    )
    made = plan(
        *(
            change(f"aws_subnet.s[{n}]", index=n, after={}, after_unknown={"id": True})
            for n in range(size)
        ),
        *(
            change(f"aws_instance.i[{n}]", index=n, after={}, after_unknown={"subnet_id": True})
            for n in range(size)
        ),
        configuration=config,
        complete=True,
    )
    rules = plans.rule(
        require="references('subnet_id')[].after.map_public_ip_on_launch",
        more='match = { types = ["aws_instance"] }',
    )
    decision = evaluate(read_plan(made), [plans.ruleset(tmp_path, rules)], plans.context())
    assert {one.outcome.value for one in decision.outcomes} == {"unknown"}
    assert len(decision.outcomes) == size
