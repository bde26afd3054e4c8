"""What the sources decide: references that only point, and dynamic blocks over the unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.plan_json import block, change, configuration, plan
from tfgate.hcl.index import SourceIndex
from tfgate.hcl.written import SourceText
from tfgate.plan import Plan, read_plan
from tfgate.plan.pointing import traversal
from tfgate.plan.reads import EVERYTHING
from tfgate.query.values import UNKNOWN, Maybe

if TYPE_CHECKING:
    from pathlib import Path

GUARD = "aws_s3_bucket_public_access_block"
A, B = ["aws_s3_bucket.a.id", "aws_s3_bucket.a"], ["aws_s3_bucket.b.id", "aws_s3_bucket.b"]
NEW = {"after": {}, "after_unknown": {"id": True, "bucket": True}}


def with_sources(
    folder: Path, text: str, *changes: dict[str, Any], config: Any, **parts: Any
) -> Plan:
    """A plan with this configuration, as JSON and as text."""
    folder.mkdir(exist_ok=True)
    (folder / "main.tf").write_text(text)
    made = read_plan(plan(*changes, **{"configuration": config, "complete": True, **parts}))
    made.use_sources(SourceText(SourceIndex.build(folder)))
    return made


def who(made: Plan, subject: int = 0) -> list[Any]:
    """The addresses of who refers to a change, doubt left in place."""
    found = []
    for one in made.referenced_by(made.changes[subject], GUARD):
        if isinstance(one, Maybe):
            found.append(one if one.many else Maybe(one.value["address"]))
        else:
            found.append(one["address"])
    return found


@pytest.mark.parametrize(
    ("expression", "references", "certain"),
    [
        ("aws_s3_bucket.a.id", A, True),
        ("aws_s3_bucket.a.bucket", ["aws_s3_bucket.a.bucket", A[1]], True),
        ('"${aws_s3_bucket.a.id}"', A, True),
        ("local.name", ["local.name"], True),
        ("aws_s3_bucket.a.tags", ["aws_s3_bucket.a.tags", A[1]], False),
        ('aws_s3_bucket.a.tags["name"]', ['aws_s3_bucket.a.tags["name"]', A[1]], False),
        ("var.t ? aws_s3_bucket.a.id : aws_s3_bucket.b.id", ["var.t", *A, *B], False),
        ("coalesce(aws_s3_bucket.b.id, aws_s3_bucket.a.id)", [*B, *A], False),
        ("[aws_s3_bucket.b.id, aws_s3_bucket.a.id][0]", [*B, *A], False),
        ('replace(aws_s3_bucket.a.id, "/.*/", "z")', A, False),
        ('"x${length(aws_s3_bucket.a.id)}"', A, False),
        ('"x${aws_s3_bucket.a.id}"', A, False),
        ('"${aws_s3_bucket.a.id}${aws_s3_bucket.b.id}"', [*A, *B], False),
        ("local.names[var.k]", ["local.names", "var.k"], False),
        ("(aws_s3_bucket.a.id)", A, False),
        ("aws_s3_bucket.a.id # ] }", A, True),
        # the sources say another thing than the plan
        ("aws_s3_bucket.a.id", B, False),
    ],
)
def test_a_reference_is_certain_where_it_only_points(
    tmp_path: Path, expression: str, references: list[str], certain: bool
) -> None:
    """A function, a condition or a computed key makes a possible one of it, and never none."""
    text = (
        'resource "aws_s3_bucket" "a" {}\n'
        'resource "aws_s3_bucket" "b" {}\n'
        "locals {\n  name = aws_s3_bucket.a.id\n  names = { x = aws_s3_bucket.a.id }\n}\n"
        f'resource "{GUARD}" "g" {{\n  bucket = {expression}\n}}\n'
    )
    names = ("aws_s3_bucket.a", "aws_s3_bucket.b")
    config = configuration(*map(block, names), block(f"{GUARD}.g", bucket=references))
    changes = [change(name, after={}, after_unknown={"id": True}) for name in names]
    made = with_sources(tmp_path, text, *changes, change(f"{GUARD}.g", **NEW), config=config)
    if certain:
        assert who(made) == [f"{GUARD}.g"]
        assert who(made, 1) == []
        [found] = made.references(made.changes[2], "bucket")
        assert (found["address"], found["certain"]) == ("aws_s3_bucket.a", True)
        return
    doubted = [who(made, number) for number in (0, 1)]
    assert [f"{GUARD}.g"] not in doubted
    assert doubted != [[], []]
    assert all(isinstance(one, Maybe) for one in made.references(made.changes[2], "bucket"))


MODULE = """
variable "bucket" {}
variable "names" { default = {} }
resource "aws_s3_bucket_public_access_block" "g" {
  bucket = EXPRESSION
}
"""


@pytest.mark.parametrize(
    ("inner", "outer", "certain"),
    [
        ("var.bucket", "aws_s3_bucket.a.id", True),
        ("var.bucket.id", "aws_s3_bucket.a", True),
        ("var.bucket", "module.other.id", True),
        ("var.bucket", "try(aws_s3_bucket.a.id, null)", False),
        ("coalesce(var.bucket)", "aws_s3_bucket.a.id", False),
        ("var.bucket", "module.other.changed", False),
    ],
)
def test_every_hop_through_modules_must_only_point(
    tmp_path: Path, inner: str, outer: str, certain: bool
) -> None:
    """Variables and outputs are followed as the sources write them."""
    text = (
        'resource "aws_s3_bucket" "a" {}\n'
        f'module "m" {{\n  source = "./m"\n  bucket = {outer}\n}}\n'
        'module "other" {\n  source = "./other"\n  given = aws_s3_bucket.a.id\n}\n'
    )
    for name, content in (
        ("m", MODULE.replace("EXPRESSION", inner)),
        (
            "other",
            (
                'variable "given" {}\noutput "id" {\n  value = var.given\n}\n'
                'output "changed" {\n  value = upper(var.given)\n}\n'
            ),
        ),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.tf").write_text(content)
    passed = {
        "aws_s3_bucket.a": [A[1]],
        "module.other.id": ["module.other.id", "module.other"],
        "module.other.changed": ["module.other.changed", "module.other"],
    }.get(outer, A)
    given = {"variables": {"given": {}}, "outputs": {
        "id": {"expression": {"references": ["var.given"]}},
        "changed": {"expression": {"references": ["var.given"]}},
    }}  # fmt: skip
    references = ["var.bucket.id", "var.bucket"] if inner.endswith(".id") else ["var.bucket"]
    config = configuration(
        block("aws_s3_bucket.a"),
        module_calls={
            "m": {
                "expressions": {"bucket": {"references": passed}},
                "module": {"resources": [block(f"{GUARD}.g", bucket=references)]},
            },
            "other": {"expressions": {"given": {"references": A}}, "module": given},
        },
    )
    bucket = change("aws_s3_bucket.a", after={}, after_unknown={"id": True})
    guard = change(f"module.m.{GUARD}.g", module_address="module.m", **NEW)
    made = with_sources(tmp_path, text, bucket, guard, config=config)
    address = f"module.m.{GUARD}.g"
    assert who(made) == ([address] if certain else [Maybe(address)])


@pytest.mark.parametrize(
    ("expression", "references", "found"),
    [
        ("aws_s3_bucket.b[each.key].id", ["aws_s3_bucket.b", "each.key"], "a"),
        ("each.value.id", ["each.value.id", "each.value"], "a"),
        ('aws_s3_bucket.b["b"].id', ['aws_s3_bucket.b["b"].id', 'aws_s3_bucket.b["b"]', B[1]], ""),
        ("aws_s3_bucket.b[lower(each.key)].id", ["aws_s3_bucket.b", "each.key"], "any"),
        ("aws_s3_bucket.b[each.value.tags].id", ["aws_s3_bucket.b", "each.value"], "any"),
    ],
)
def test_instances_point_at_instances(
    tmp_path: Path, expression: str, references: list[str], found: str
) -> None:
    """``each.key``, ``each.value`` and constant keys lead to one instance, others to none."""
    text = (
        'resource "aws_s3_bucket" "b" {\n  for_each = toset(["a", "b"])\n}\n'
        f'resource "{GUARD}" "g" {{\n  for_each = aws_s3_bucket.b\n  bucket = {expression}\n}}\n'
    )
    over = {"for_each_expression": {"references": ["aws_s3_bucket.b"]}}
    keys = {"for_each_expression": {}}
    config = configuration(
        block("aws_s3_bucket.b", **keys), block(f"{GUARD}.g", bucket=references, **over)
    )
    changes = [
        change(f'{name}["{key}"]', index=key, **NEW)
        for name in ("aws_s3_bucket.b", f"{GUARD}.g")
        for key in ("a", "b")
    ]
    made = with_sources(tmp_path, text, *changes, config=config)
    both = [f'{GUARD}.g["{key}"]' for key in ("a", "b")]
    assert who(made) == {"a": both[:1], "": []}.get(found, list(map(Maybe, both)))


@pytest.mark.parametrize("count", ["count.index", "1 - count.index"])
def test_an_index_from_count(tmp_path: Path, count: str) -> None:
    """``count.index`` alone is the instance's own number; what is computed from it may be any."""
    text = (
        'resource "aws_s3_bucket" "b" {\n  count = 2\n}\n'
        f'resource "{GUARD}" "g" {{\n  count = 2\n  bucket = aws_s3_bucket.b[{count}].id\n}}\n'
    )
    two = {"count_expression": {"constant_value": 2}}
    config = configuration(
        block("aws_s3_bucket.b", **two),
        block(f"{GUARD}.g", bucket=["aws_s3_bucket.b", "count.index"], **two),
    )
    changes = [
        change(f"{name}[{number}]", index=number, **NEW)
        for name in ("aws_s3_bucket.b", f"{GUARD}.g")
        for number in (0, 1)
    ]
    made = with_sources(tmp_path, text, *changes, config=config)
    both = [f"{GUARD}.g[0]", f"{GUARD}.g[1]"]
    assert who(made) == (both[:1] if count == "count.index" else list(map(Maybe, both)))


@pytest.mark.parametrize(
    "text",
    ["a", "a.b", "a.b[0].c", 'a.b["x y"].c', "a.b[each.key].c", '"${a.b.c}"', '"${~ a.b ~}"'],
)
def test_traversals(text: str) -> None:
    """What only points is read."""
    assert traversal(text) is not None


@pytest.mark.parametrize(
    "text",
    [None, "", '"a.b"', "a.*.c", "a.b[*].c", "a.b[c].d", "a.b + 1", "f(a.b)", '"${a}${b}"',
     "a.b #c",
     'a.b["${c}"].d', "a.b.0", "!a.b", "a.b\n.c", "a.b[0", "x" * 5000, '"x${a.b}"', "a.b[-1].c"],
)  # fmt: skip
def test_no_traversals(text: str | None) -> None:
    """All else is none."""
    assert traversal(text) is None


# --- dynamic blocks ---

PLACEHOLDER = {"description": "", "self": False, "ipv6_cidr_blocks": []}
PLACEHOLDER_MARKS = {"from_port": True, "cidr_blocks": True, "ipv6_cidr_blocks": []}
STATIC = {"description": "", "self": False, "from_port": 80, "cidr_blocks": ["10.0.0.0/8"]}


def group(ingress: list[Any], marks: list[Any]) -> dict[str, Any]:
    """A security group with these rules."""
    return change(
        "aws_security_group.g",
        after={"name": "g", "ingress": ingress},
        after_unknown={"id": True, "ingress": marks},
        provider_name="registry.terraform.io/hashicorp/aws",
    )


def ingress_of(made: Plan) -> Any:
    """What a rule sees."""
    return made.changes[0].document(EVERYTHING)["after"]["ingress"]


SOME = {**PLACEHOLDER, "from_port": UNKNOWN, "cidr_blocks": UNKNOWN}


@pytest.mark.parametrize(
    ("shown", "ingress", "marks", "seen"),
    [
        # as Terraform 1.11 and the AWS provider plan a dynamic block over an unknown
        ({}, [PLACEHOLDER], [PLACEHOLDER_MARKS], [Maybe(SOME, many=True)]),
        (
            {"ingress": {"constant_value": [STATIC]}},
            [PLACEHOLDER, STATIC],
            [PLACEHOLDER_MARKS, {}],
            [Maybe(SOME, many=True), STATIC],
        ),
        # over something known: what was written is known
        ({}, [STATIC], [{}], [STATIC]),
        (
            {},
            [{"from_port": 80, "cidr_blocks": None}],
            [{"cidr_blocks": True}],
            [{"from_port": 80, "cidr_blocks": UNKNOWN}],
        ),
        # a block of its own
        (
            {"ingress": [{"cidr_blocks": {"references": ["terraform_data.n.output"]}}]},
            [PLACEHOLDER],
            [PLACEHOLDER_MARKS],
            [SOME],
        ),
    ],
)
def test_a_block_that_may_stand_for_any_number(
    shown: dict[str, Any], ingress: list[Any], marks: list[Any], seen: list[Any]
) -> None:
    """Plan JSON shows no dynamic blocks: what can be told apart is, and nothing else."""
    config = configuration({**block("aws_security_group.g"), "expressions": shown})
    made = read_plan(plan(group(ingress, marks), configuration=config))
    assert ingress_of(made) == seen


def test_a_default_of_another_provider_proves_no_block() -> None:
    """Only lists and maps have no defaults with every provider."""
    entry = group([{"action": "Allow"}], [{"ip": True}])
    entry["provider_name"] = "registry.terraform.io/hashicorp/azurerm"
    config = configuration(block("aws_security_group.g"))
    made = read_plan(plan(entry, configuration=config))
    assert ingress_of(made) == [Maybe({"action": "Allow", "ip": UNKNOWN}, many=True)]


@pytest.mark.parametrize(
    ("over", "known"),
    [
        ("var.rules", True),
        ("{ http = 80, https = 443 }", True),
        ("local.rules", True),
        ("[for port in var.ports : port if port > 80]", True),
        ("terraform_data.settled.output", True),
        ("data.aws_ip_ranges.x.cidr_blocks", True),
        ("terraform_data.n.output", False),
        ("local.made", False),
        ("concat(var.rules, [terraform_data.n.id])", False),
        ("module.m.rules", False),
        ("[timestamp()]", False),
        ("[for port in terraform_data.n.output : port]", False),
        ("var.rules[terraform_data.n.output[0]]", False),
    ],
)
def test_what_a_dynamic_block_is_over_decides(tmp_path: Path, over: str, known: bool) -> None:
    """Over something known it makes as many blocks as the plan shows."""
    text = (
        'variable "rules" {}\nvariable "ports" {}\n'
        "locals {\n  rules = { a = var.rules }\n  made = [terraform_data.n.id]\n}\n"
        'resource "terraform_data" "n" {}\nresource "terraform_data" "settled" {}\n'
        f'resource "aws_security_group" "g" {{\n  dynamic "ingress" {{\n    for_each = {over}\n'
        "    content {\n      from_port = ingress.value\n    }\n  }\n}\n"
    )
    names = ("terraform_data.n", "terraform_data.settled")
    config = configuration(block("aws_security_group.g"), *map(block, names))
    made = with_sources(
        tmp_path,
        text,
        group([PLACEHOLDER], [PLACEHOLDER_MARKS]),
        change(names[0], after={}, after_unknown={"id": True, "output": True}),
        change(names[1], actions=["no-op"], after={"output": [1]}),
        config=config,
    )
    assert ingress_of(made) == ([SOME] if known else [Maybe(SOME, many=True)])


@pytest.mark.parametrize(
    ("over", "left"), [("terraform_data.n.output", UNKNOWN), ("var.options", True)]
)
def test_a_dynamic_block_over_the_unknown_is_not_left_to_the_provider(
    tmp_path: Path, over: str, left: Any
) -> None:
    """Nobody can tell yet whether there will be one."""
    text = (
        'variable "options" {}\nresource "terraform_data" "n" {}\n'
        'resource "aws_launch_template" "t" {\n  dynamic "metadata_options" {\n'
        f'    for_each = {over}\n    content {{\n      http_tokens = "required"\n    }}\n  }}\n}}\n'
    )
    names = ("aws_launch_template.t", "terraform_data.n")
    config = configuration(*map(block, names))
    marks = {"metadata_options": True}
    made = with_sources(
        tmp_path,
        text,
        change(names[0], after={}, after_unknown=marks),
        change(names[1], after={}, after_unknown={"output": True}),
        config=config,
    )
    for argument in ("metadata_options", "metadata_options.http_tokens"):
        assert made.left_to_provider(made.changes[0], argument) is left
