"""A plan with one of everything that a review shows, and reviews of plans made by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tests.support.plans import change, context, plan_data, rule, ruleset
from tfgate.engine.evaluate import evaluate
from tfgate.model.address import Location
from tfgate.plan import read_plan
from tfgate.review.layout import EVERYTHING, ReviewFilter, lay_out

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.review.model import Review
    from tfgate.ruleset import Ruleset

SECRET = "SENSITIVE-CANARY-5e1f"


def policy(*statements: dict[str, Any]) -> str:
    """Write an IAM policy as Terraform's ``jsonencode`` does."""
    return json.dumps({"Statement": list(statements), "Version": "2012-10-17"})


READ = {"Action": ["s3:GetObject"], "Effect": "Allow", "Resource": "*", "Sid": "Read"}
LIST = {"Action": "s3:ListBucket", "Effect": "Allow", "Resource": "*", "Sid": "List"}
SCRIPT = "#!/bin/sh\nset -eu\ninstall nginx\nstart nginx\necho done\n"
HTTP = {"from_port": 80, "to_port": 80, "protocol": "tcp", "cidr_blocks": ["10.0.0.0/8"]}
SSH = {"from_port": 22, "to_port": 22, "protocol": "tcp", "cidr_blocks": ["10.0.0.0/8"]}


def tour() -> dict[str, Any]:
    """Return plan data with one of everything."""
    return plan_data(
        *_root_changes(),
        *_module_changes(),
        resource_drift=[
            change("aws_security_group.web", ["update"], {"id": "sg-1", "ingress": [HTTP, SSH]},
                   before={"id": "sg-1", "ingress": [HTTP]}),
        ],
        output_changes={
            "url": {"actions": ["create"], "before": None, "after_unknown": True},
            "password": {"actions": ["update"], "before": SECRET, "after": f"{SECRET}-new",
                         "after_unknown": False, "before_sensitive": True,
                         "after_sensitive": True},
        },
        configuration={
            "root_module": {
                "resources": [
                    {
                        "address": "aws_instance.web", "mode": "managed", "type": "aws_instance",
                        "name": "web", "expressions": {
                            "ami": {"constant_value": "ami-2"},
                            "subnet_id": {"references": ["aws_subnet.a.id", "aws_subnet.a"]},
                            "user_data": {"references": ["local.script"]},
                        },
                    },
                ],
            }
        },
    )  # fmt: skip


def _root_changes() -> list[dict[str, Any]]:
    tags = {"Name": "web", "Team": "shop"}
    return [
        change("aws_iam_policy.app", ["update"],
               {"id": "p-1", "name": "app", "policy": policy(LIST, {**READ, "Action": ["s3:*"]})},
               before={"id": "p-1", "name": "app", "policy": policy(READ, LIST)}),
        change("aws_instance.web", ["create", "delete"],
               {"ami": "ami-2", "tags": {**tags, "Team": "web"},
                "user_data": SCRIPT.replace("nginx", "caddy"), "monitoring": None},
               before={"id": "i-1", "arn": "arn:1", "ami": "ami-1", "subnet_id": "subnet-1",
                       "tags": tags, "user_data": SCRIPT, "monitoring": True, "key_name": ""},
               after_unknown={"id": True, "arn": True, "subnet_id": True},
               replace_paths=[["ami"]], action_reason="replace_because_cannot_update"),
        change("aws_instance.web", ["delete"], None, before={"id": "i-0", "ami": "ami-0"},
               deposed="0f3a9b2c"),
        change("aws_db_instance.main", ["update"],
               {"id": "db-1", "password": f"{SECRET}-new", "options": [{"key": SECRET}]},
               before={"id": "db-1", "password": SECRET, "options": [{"key": SECRET}]},
               before_sensitive={"password": True, "options": [{"key": True}]},
               after_sensitive={"password": True, "options": [{"key": True}]}),
        change("aws_security_group.web", ["update"],
               {"id": "sg-1", "ingress": [SSH, {**HTTP, "cidr_blocks": ["0.0.0.0/0"]}]},
               before={"id": "sg-1", "ingress": [HTTP, SSH]}),
        change("aws_s3_bucket.old", ["delete"], None,
               before={"id": "old", "bucket": "old", "tags": {"Name": "old"}},
               action_reason="delete_because_no_resource_config"),
        change("aws_s3_bucket.kept", ["forget"], None, before={"id": "kept"}),
        change("aws_s3_bucket.adopted", ["no-op"], {"id": "adopted"}, before={"id": "adopted"},
               importing={"id": "adopted"}),
        change("aws_s3_bucket.same", ["no-op"], {"id": "same"}, before={"id": "same"}),
    ]  # fmt: skip


def _module_changes() -> list[dict[str, Any]]:
    return [
        change('module.net["a"].aws_subnet.x[0]', ["create"],
               {"cidr_block": "10.0.0.0/24", "tags": {}, "ports": [80, 443]},
               after_unknown={"id": True, "vpc_id": True}),
        change('module.net["a"].aws_vpc.main', ["no-op"], {"id": "vpc-1"}, before={"id": "vpc-1"},
               previous_address="aws_vpc.main"),
    ]  # fmt: skip


RULES = (
    rule("T-1", when="type == 'aws_instance'", require="after.tags.Team == 'shop'",
         message="{address} is of team {after.tags.Team}")
    + rule("T-2", enforcement="advisory", deny="type == 'aws_security_group'",
           message="{address} has open ingress")
    + rule("T-3", enforcement="advisory", deny="counts.delete > `0`", scope="plan",
           message="Something is destroyed")
)  # fmt: skip


def locate(address: str, attribute: str | None) -> Location | None:
    """Return a place for everything but the plan."""
    if "." not in address:
        return None
    if not address.startswith("module."):
        return Location("main.tf", 12)
    return Location("modules/net/main.tf", 3, calls=(Location("main.tf", 40),))


def review_of(
    data: dict[str, Any] | bytes,
    rulesets: list[Ruleset] | None = None,
    *,
    wanted: ReviewFilter = EVERYTHING,
    **more: Any,
) -> Review:
    """Judge a plan by rulesets (none: nothing is decided) and lay it out."""
    text = data if isinstance(data, bytes) else json.dumps(data).encode()
    plan = read_plan(text)
    facts = context(locate=locate, allow_empty=True)
    decision = evaluate(plan, rulesets or [], facts)
    rules = {c.rule.id: c.rule for r in rulesets or [] for c in r.rules}
    return lay_out(plan, decision, rules, locate=locate, wanted=wanted, **more)


def tour_review(folder: Path, *, wanted: ReviewFilter = EVERYTHING) -> Review:
    """Return the review of the tour under a few rules."""
    found = review_of(tour(), [ruleset(folder, RULES)], wanted=wanted, plan_name="tour.tfplan")
    rulesets = tuple(replace(facts, source="./policy") for facts in found.decision.rulesets)
    return replace(
        found,
        decision=replace(found.decision, rulesets=rulesets),
        rules={name: replace(each, file="policy.toml") for name, each in found.rules.items()},
    )
