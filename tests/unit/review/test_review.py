"""A plan laid out for a person: what is listed, grouped, counted, and put beside what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.plans import change, plan_data, rule, ruleset
from tests.support.review_plans import SECRET, review_of, tour, tour_review
from tfgate.errors import PlanError
from tfgate.model.action import Action
from tfgate.report import ReportContext
from tfgate.review import html as review_html
from tfgate.review import text as review_text
from tfgate.review.layout import ReviewFilter
from tfgate.review.model import Form, Mark, ReviewedChange

if TYPE_CHECKING:
    from tfgate.review.model import Review

PLANS = sorted((Path(__file__).parents[3] / "testdata" / "plans").glob("*.json"))
UNMARKED = SECRET.replace("5e1f", "unmarked")


@pytest.fixture
def toured(tmp_path: Path) -> Review:
    """The review of a plan with one of everything."""
    return tour_review(tmp_path)


def only(review: Review, address: str) -> ReviewedChange:
    """Return the one live change with an address."""
    (found,) = [c for c in review.changes if c.address == address and c.deposed is None]
    return found


def test_groups_are_modules_with_what_destroys_first(toured: Review) -> None:
    """The root module first; unchanged resources only where there is something to say."""
    assert [(g.module, [(str(c.action), c.address) for c in g.changes]) for g in toured.groups] == [
        (
            "",
            [
                ("delete", "aws_instance.web"),
                ("delete", "aws_s3_bucket.old"),
                ("replace", "aws_instance.web"),
                ("forget", "aws_s3_bucket.kept"),
                ("update", "aws_db_instance.main"),
                ("update", "aws_iam_policy.app"),
                ("update", "aws_security_group.web"),
                ("no-op", "aws_s3_bucket.adopted"),
            ],
        ),
        (
            'module.net["a"]',
            [
                ("create", 'module.net["a"].aws_subnet.x[0]'),
                ("no-op", 'module.net["a"].aws_vpc.main'),
            ],
        ),
    ]
    assert toured.total == 10


def test_findings_stand_beside_their_change(toured: Review) -> None:
    """And those on no change apart; a deposed object does not inherit them."""
    beside = {
        (change.address, change.deposed): [outcome.rule for outcome in change.findings]
        for change in toured.changes
        if change.findings
    }
    assert beside == {
        ("aws_instance.web", None): ["T-1"],
        ("aws_security_group.web", None): ["T-2"],
    }
    assert [outcome.rule for outcome in toured.findings] == ["T-3"]
    assert list(toured.rules) == ["T-1", "T-2", "T-3"]


def test_every_finding_is_somewhere(toured: Review) -> None:
    """None is lost between the lists, and none is told twice."""
    lists = (toured.changes, toured.outputs, toured.drift, toured.deferred, toured.invocations)
    told = [o for entries in lists for entry in entries for o in entry.findings]
    assert sorted(map(id, [*told, *toured.findings])) == sorted(map(id, toured.decision.outcomes))


def test_radius_counts_what_exists(toured: Review) -> None:
    """Created resources do not exist yet; unchanged ones do."""
    radius = toured.radius
    assert (radius.existing, radius.touched, radius.lost) == (10, 7, 3)
    assert (radius.imported, radius.moved, radius.drifted) == (1, 1, 1)
    assert dict(radius.counts)[Action.REPLACE] == 1
    assert radius.types[0].type == "aws_instance"


def test_a_replacement_says_why_and_in_which_order(toured: Review) -> None:
    """What forces it comes first; what the provider decides is only listed."""
    web = only(toured, "aws_instance.web")
    assert web.create_first
    assert web.reasons == ("ami cannot change in place.",)
    assert [(diff.label, diff.forces) for diff in web.diffs] == [
        ("ami", True), ("subnet_id", False), ("tags", False), ("user_data", False),
    ]  # fmt: skip
    assert web.computed == ("arn", "id")
    assert [diff.label for diff in web.dropped] == ["monitoring"]
    assert web.blank == ("key_name",)


def test_unknown_values_say_where_they_come_from(toured: Review) -> None:
    """By the reference in the configuration."""
    (subnet,) = [d for d in only(toured, "aws_instance.web").diffs if d.label == "subnet_id"]
    assert subnet.after is not None
    assert (subnet.after.form, subnet.refers) == (Form.UNKNOWN, "aws_subnet.a.id")


def test_secrets_show_that_they_change_and_nothing_else(toured: Review) -> None:
    """A secret that stays counts as unchanged."""
    database = only(toured, "aws_db_instance.main")
    assert [(diff.label, diff.mark) for diff in database.diffs] == [("password", Mark.CHANGED)]
    assert database.same == 2
    assert SECRET not in repr(toured)


def test_moves_imports_and_deposed_objects_are_facts(toured: Review) -> None:
    """Beside the action."""
    assert only(toured, "aws_s3_bucket.adopted").facts[0] == ("imported by", 'id "adopted"')
    moved = only(toured, 'module.net["a"].aws_vpc.main')
    assert moved.facts[0] == ("moved from", "aws_vpc.main")
    (deposed,) = [change for change in toured.changes if change.deposed]
    assert deposed.facts[0] == ("deposed object", "0f3a9b2c")


@pytest.mark.parametrize(
    ("wanted", "addresses"),
    [
        (ReviewFilter(actions=(Action.FORGET,)), ["aws_s3_bucket.kept"]),
        (ReviewFilter(addresses=("*.x[0]",)), ['module.net["a"].aws_subnet.x[0]']),
        (ReviewFilter(types=("aws_iam_*",)), ["aws_iam_policy.app"]),
        (ReviewFilter(modules=("root",), types=("aws_db*",)), ["aws_db_instance.main"]),
        (ReviewFilter(modules=("module.*",), actions=(Action.CREATE,)),
         ['module.net["a"].aws_subnet.x[0]']),
        (ReviewFilter(findings_only=True), ["aws_instance.web", "aws_security_group.web"]),
        (ReviewFilter(types=("nothing",)), []),
    ],
)  # fmt: skip
def test_filters(wanted: ReviewFilter, addresses: list[str], tmp_path: Path) -> None:
    """Conditions of one kind are alternatives, of several kinds all hold; numbers stay whole."""
    found = tour_review(tmp_path, wanted=wanted)
    assert [change.address for change in found.changes] == addresses
    assert (found.total, found.radius.existing) == (10, 10)
    assert found.filters


def test_what_a_provider_repeats_of_a_secret_is_hidden() -> None:
    """Terraform does not mark ``output``; a value with the secret in it is one all the same."""
    values = {"input": SECRET, "output": f"postgres://{SECRET}@db", "other": "public"}
    entry = change(
        "aws_thing.a", ["update"], {**values, "other": "changed"}, before=values,
        before_sensitive={"input": True}, after_sensitive={"input": True},
    )  # fmt: skip
    found = review_of(plan_data(entry))
    assert SECRET not in repr(found)
    assert [diff.label for diff in found.changes[0].diffs] == ["other"]


def test_short_secrets_do_not_hide_common_words() -> None:
    """Hiding every ``prod`` would tell what the secret is."""
    values = {"input": "prod", "env": "prod"}
    entry = change("aws_thing.a", ["create"], values, after_sensitive={"input": True})
    (env, secret) = review_of(plan_data(entry)).changes[0].diffs
    assert env.after is not None
    assert secret.after is not None
    assert (env.after.text, secret.after.form) == ('"prod"', Form.SENSITIVE)


def test_actions_that_are_invoked_are_listed() -> None:
    """With what triggers them."""
    invocation = {
        "address": "action.aws_lambda_invoke.warm", "type": "aws_lambda_invoke", "name": "warm",
        "config_values": {"function": "warm", "token": SECRET},
        "config_sensitive": {"token": True}, "config_unknown": {},
        "lifecycle_action_trigger": {
            "triggering_resource_address": "aws_instance.web",
            "action_trigger_event": "AfterCreate",
            "action_trigger_block_index": 0, "actions_list_index": 0,
        },
    }  # fmt: skip
    (found,) = review_of(plan_data(action_invocations=[invocation])).invocations
    assert found.reasons == ("Invoked by aws_instance.web (AfterCreate).",)
    assert [diff.label for diff in found.diffs] == ["function", "token"]
    assert SECRET not in repr(found)


def test_rules_on_unchanged_resources_bring_them_into_sight(tmp_path: Path) -> None:
    """A finding on a resource that stays is shown beside it."""
    rules = ruleset(tmp_path, rule(deny="`true`", more='match = { actions = ["no-op"] }'))
    entry = change("aws_s3_bucket.same", ["no-op"], {"id": "a"}, before={"id": "a"})
    found = review_of(plan_data(entry), [rules])
    assert [c.address for c in found.changes] == ["aws_s3_bucket.same"]


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_real_plans(path: Path) -> None:
    """Every plan of the test data is laid out and rendered, and shows no secret of its own."""
    data = path.read_bytes()
    if json.loads(data).get("errored"):
        with pytest.raises(PlanError):
            review_of(data)
        return
    found = review_of(data)
    context = ReportContext(tfgate_version="1")
    pages = review_text.render(found, context, full=True) + review_html.render(found, context)
    for secret in _secrets(json.loads(data)):
        assert secret not in pages


def _secrets(data: dict[str, Any]) -> set[str]:
    """Find the strings that a plan marks as sensitive, and begin as test data's secrets do."""
    found: set[str] = set()
    for section in ("resource_changes", "resource_drift"):
        for entry in data.get(section, ()):
            body = entry["change"]
            for side in ("before", "after"):
                found |= _marked(body.get(side), body.get(f"{side}_sensitive"))
    return {text for text in found if "CANARY" in text}


def _marked(value: Any, marks: Any) -> set[str]:
    if marks is True:
        return set(_strings(value))
    if isinstance(marks, dict) and isinstance(value, dict):
        return {text for key in marks for text in _marked(value.get(key), marks[key])}
    if isinstance(marks, list) and isinstance(value, list):
        pairs = zip(value, marks, strict=False)
        return {text for part, mark in pairs for text in _marked(part, mark)}
    return set()


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict | list):
        parts = value.values() if isinstance(value, dict) else value
        return [text for part in parts for text in _strings(part)]
    return []


def test_instances_are_in_the_order_of_their_numbers() -> None:
    """The tenth after the second, in modules too, and numbers may be as long as they like."""
    names = ["m[10].aws_a.b[1]", "m[9].aws_a.b[10]", "m[9].aws_a.b[2]", f"m[{'7' * 5_000}].aws_a.b"]
    entries = [change(f"module.{name}", after={}) for name in names]
    found = review_of(plan_data(*entries))
    assert [c.address.removeprefix("module.") for c in found.changes] == [
        names[2], names[1], names[0], names[3],
    ]  # fmt: skip


@pytest.mark.parametrize("hidden", [False, True], ids=["public", "sensitive"])
def test_a_block_that_stands_for_any_number_is_shown_as_planned(hidden: bool) -> None:
    """Rules see that there may be more or none of it; a reader sees the one that was planned."""
    entry = change("aws_thing.a", ["create"], {"rule": [{"port": 22, "secret": "CANARY-7f3a"}]})
    entry["provider_name"] = "registry.terraform.io/acme/thing"
    entry["change"]["after_unknown"] = {"rule": [{"cidr": True}]}
    if hidden:
        entry["change"]["after_sensitive"] = {"rule": [{"secret": True}]}
    found = review_of(plan_data(entry))
    context = ReportContext(tfgate_version="1")
    for made in (review_text.render(found, context, full=True), review_html.render(found, context)):
        assert ("(sensitive)" if hidden else "(known after apply)") in made
        assert ("CANARY-7f3a" in made) is not hidden


def test_what_is_deferred_is_listed_apart() -> None:
    """With the reason, and not among what this apply does."""
    deferred = {
        "reason": "resource_config_unknown",
        "resource_change": change("aws_thing.later", after={"a": 1}),
    }
    found = review_of(plan_data(deferred_changes=[deferred]))
    assert found.changes == ()
    assert found.radius.deferred == 1
    (later,) = found.deferred
    assert later.reasons == ("The provider needs values of its configuration not known yet.",)


def test_values_as_deep_as_a_plan_may_have_them() -> None:
    """Lists and objects of 195 levels are laid out and rendered."""
    value: Any = 1
    for level in range(195):
        value = [value] if level % 2 else {"a": value}
    other = json.loads(json.dumps(value).replace("1", "2"))
    entries = [
        change("aws_thing.a", ["update"], {"deep": other}, before={"deep": value}),
        change("aws_thing.b", ["create"], {"deep": value}),
        change("aws_thing.c", ["create"], {"p": json.dumps(value)}),
    ]
    found = review_of(plan_data(*entries))
    context = ReportContext(tfgate_version="1")
    assert "2" in review_text.render(found, context, full=True)
    assert review_html.render(found, context)


def test_wide_values_take_bounded_time() -> None:
    """Lists of thousands of blocks that have nothing in common are paired by position."""
    before = [{"a": number, "b": f"x{number}"} for number in range(5_000)]
    after = [{"a": -number - 1, "b": f"y{number}"} for number in range(5_000)]
    entry = change("aws_thing.a", ["update"], {"blocks": after}, before={"blocks": before})
    (diff,) = review_of(plan_data(entry)).changes[0].diffs
    assert len(diff.members) == 5_000


def test_tour_is_a_valid_plan() -> None:
    """The plan that the tests walk through has the sections that they look at."""
    assert {"resource_drift", "output_changes", "configuration"} <= tour().keys()
