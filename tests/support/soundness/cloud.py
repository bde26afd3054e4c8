"""Random configurations of AWS: nested blocks made by ``dynamic``, and buckets with their guards.

``terraform_data`` has no nested blocks. Security groups have some that are attributes as well, of
which the plan shows one placeholder for an unknown collection; launch templates have blocks in
blocks; roles have a set of them. Public access blocks refer to buckets as guards refer to subjects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.support.machine import AWS_HEAD
from tests.support.soundness.configuration import KNOWN, UNKNOWN, Configuration, output, values_of
from tests.support.soundness.rules import Rule, Values
from tests.support.soundness.shapes import Names, Writer

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

_MODULE: Final = """\
variable "t" {
  default = true
}
variable "n" {
  default = 1
}
variable "k" {
  default = "x"
}
"""
_ROLE: Final = """\
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
"""
_FEW: Final = (
    "local.few",
    "terraform_data.few.output",
    "(var.t ? local.few : [])",
    "{ for e in local.few : e.port => e }",
    "[for e in local.few : merge(e, { open = $c })]",
    "try(terraform_data.few.output, [])",
)
"""Lists of at most one rule; of one, where nobody knows them: Terraform refuses to apply security
groups that come to have more rules, or none, than the one that was planned."""
_MANY: Final = (
    "local.many",
    "terraform_data.many.output",
    "[for e in terraform_data.many.output : e if e.open]",
    "concat(local.many, terraform_data.few.output)",
    "($c ? local.many : local.few)",
    "slice(terraform_data.many.output, 0, 1)",
    "($c ? local.few : [])",
    "[for e in terraform_data.few.output : e if e.open]",
    "[for e in local.many : merge(e, { open = $c })]",
)
_OPEN: Final = ("{}.value.open", "{}.value.open", "$c", "true", "{}.value.port > 50")
_BUCKET: Final = "aws_s3_bucket_public_access_block"
_ENCRYPTED: Final = "(encrypted == `true` || encrypted == 'true')"


def generate_cloud(chance: random.Random, name: str) -> Configuration:
    """Make a configuration whose names begin with ``name``."""
    maker = _Maker(chance, name)
    files = {"main.tf": AWS_HEAD + maker.module("root"), "m/main.tf": maker.module("m")}
    variables = values_of(chance)
    return Configuration(files, variables, None, ())


class _Maker:
    def __init__(self, chance: random.Random, name: str) -> None:
        self._chance = chance
        self._name = name
        self._writer = Writer(chance)

    def module(self, folder: str) -> str:
        """Write the root module, or the one that it calls."""
        names = Names(conditions=[*KNOWN, *UNKNOWN])
        few: tuple[str, ...] = _FEW
        guarded = "var.guarded" if folder != "root" else self._writer.condition(names)
        blocks = [_MODULE, self._seeds(guarded)]
        if folder != "root":
            blocks.append(
                'variable "given" {\n}\nvariable "bucket" {\n}\nvariable "guarded" {\n}\n'
            )
            few = (*_FEW, "var.given", "var.given", "var.given")
            names.ids.append("var.bucket")
        blocks += [self._bucket(folder, number, names) for number in range(2)]
        if folder == "root":
            blocks.append(self._call(names))
        blocks += [self._guard(number, names) for number in range(self._chance.choice((1, 2, 3)))]
        blocks += [self._group(folder, number, names, few) for number in range(2)]
        blocks += [self._template(folder, number, names, few + _MANY) for number in range(2)]
        blocks.append(self._role(folder, names, few + _MANY))
        blocks.append(output("bucket", names.ids[0]))
        return "".join(blocks)

    def _seeds(self, guarded: str) -> str:
        pick = self._chance.choice
        one = '[{ port = 22, open = true, role = "a" }]'
        two = '[{ port = 22, open = true, role = "a" }, { port = 80, open = false, role = "b" }]'
        few = (pick((one, one.replace("true", "false"))), pick((one, "[]")))
        many = (pick((one, two)), pick((two, two.replace("true", "false"), one)))
        return (
            f'resource "terraform_data" "seed" {{\n  input = "{pick(("red", "blue"))}"\n}}\n'
            'resource "terraform_data" "values" {\n  input = { b = null }\n}\n'
            f'resource "terraform_data" "few" {{\n  input = {few[0]}\n}}\n'
            f'resource "terraform_data" "many" {{\n  input = {many[0]}\n}}\n'
            f"locals {{\n  yes = true\n  guarded = {guarded}\n"
            f"  few = tolist({few[1]})\n  many = tolist({many[1]})\n}}\n"
        )

    def _call(self, names: Names) -> str:
        """Call the other module, with a list that is known or not."""
        pick = self._chance.choice
        given = pick(("terraform_data.few.output", "[{ port = 25, open = true }]", "[]"))
        repeat = pick(("", "  count = 1\n", '  for_each = toset(["x"])\n'))
        bucket = self._writer.one(names)
        return (
            'module "m" {\n  source = "./m"\n'
            f"{repeat}  given = {given}\n  bucket = {bucket}\n"
            "  t = var.t\n  n = var.n\n  guarded = local.guarded\n}\n"
        )

    def _list(self, lists: tuple[str, ...], names: Names) -> str:
        return self._chance.choice(lists).replace("$c", self._writer.condition(names))

    def _open(self, iterator: str, names: Names) -> str:
        shape = self._chance.choice(_OPEN).replace("$c", self._writer.condition(names))
        return shape.format(iterator)

    def _bucket(self, folder: str, number: int, names: Names) -> str:
        address = f"aws_s3_bucket.s{number}"
        full = f"{self._name}-{folder}-{number}"
        several = self._chance.choice(("", "", 'for_each = toset(["x", "y"])', "count = 2"))
        part = {"": "", "c": "-${count.index}"}.get(several[:1], "-${each.key}")
        argument = self._chance.choice((f'bucket = "{full}{part}"', f'bucket_prefix = "{full}-"'))
        attribute = self._chance.choice(("id", "id", "bucket"))
        if several.startswith("c"):
            names.ids += [f"{address}[0].{attribute}", f"{address}[var.n - 1].{attribute}"]
            names.lists.append(f"{address}[*].{attribute}")
        elif several:
            names.ids += [f'{address}["x"].{attribute}', f"{address}[var.k].{attribute}"]
            names.maps.append(f"{{ for k, e in {address} : k => e.{attribute} }}")
        else:
            names.ids.append(f"{address}.{attribute}")
        return f'resource "aws_s3_bucket" "s{number}" {{\n  {several}\n  {argument}\n}}\n'

    def _guard(self, number: int, names: Names) -> str:
        several = self._chance.choice(("", "", 'for_each = toset(["x", "y"])', "count = 2"))
        inside = names
        if several:
            inside = names.with_index() if several.startswith("c") else names.with_key(None)
        return (
            f'resource "{_BUCKET}" "g{number}" {{\n  {several}\n'
            f"  bucket = {self._writer.one(inside)}\n"
            "  block_public_acls = local.guarded\n}\n"
        )

    def _group(self, folder: str, number: int, names: Names, lists: tuple[str, ...]) -> str:
        blocks = [f'  name = "{self._name}-{folder}-{number}"\n']
        if self._chance.random() < 0.5:
            blocks.append(_rule("ingress", "443", f"{self._writer.condition(names)}"))
        for kind in self._chance.choice((("ingress",), ("ingress", "egress"), ("egress",))):
            content = _rule(kind, f"{kind}.value.port", self._open(kind, names))
            blocks.append(_dynamic(kind, self._list(lists, names), content))
        return f'resource "aws_security_group" "g{number}" {{\n{"".join(blocks)}}}\n'

    def _template(self, folder: str, number: int, names: Names, lists: tuple[str, ...]) -> str:
        kind = "block_device_mappings"
        blocks = [f'  name = "{self._name}-{folder}-{number}"\n']
        if self._chance.random() < 0.5:
            disk = f"ebs {{\n encrypted = {self._writer.condition(names)}\n volume_size = 8\n}}\n"
            blocks.append(f'{kind} {{\n device_name = "/dev/sda"\n {disk}}}\n')
        volume = f" encrypted = {self._open(kind, names)}\n volume_size = 8\n"
        inner = _dynamic("ebs", f"{self._open(kind, names)} ? [1] : []", volume)
        if self._chance.random() < 0.3:
            inner = f"ebs {{\n{volume}}}\n"
        content = f' device_name = "/dev/sd${{{kind}.value.port}}"\n {inner}'
        blocks.append(_dynamic(kind, self._list(lists, names), content))
        tokens = f'{self._writer.condition(names)} ? "required" : "optional"'
        option = f'http_endpoint = "enabled"\n http_tokens = {tokens}\n'
        wanted = f"{self._writer.condition(names)} ? [1] : []"
        blocks.append(_dynamic("metadata_options", wanted, option))
        return f'resource "aws_launch_template" "t{number}" {{\n{"".join(blocks)}}}\n'

    def _role(self, folder: str, names: Names, lists: tuple[str, ...]) -> str:
        content = (
            ' name = "p${inline_policy.value.port}"\n'
            ' policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", '
            f'Action = {self._open("inline_policy", names)} ? "*" : "s3:GetObject", '
            'Resource = "*" }] })\n'
        )
        blocks = _dynamic("inline_policy", self._list(lists, names), content)
        return (
            f'resource "aws_iam_role" "r" {{\n  name = "{self._name}-{folder}"\n{_ROLE}{blocks}}}\n'
        )


def _dynamic(kind: str, each: str, content: str) -> str:
    return f'dynamic "{kind}" {{\n for_each = {each}\n content {{\n{content}}}\n}}\n'


def _rule(kind: str, port: str, is_open: str) -> str:
    cidr = f'[{is_open} ? "0.0.0.0/0" : "10.0.0.0/8"]'
    body = f'from_port = {port}\n to_port = {port}\n protocol = "tcp"\n cidr_blocks = {cidr}\n'
    return f"{kind} {{\n {body}}}\n" if port.isdigit() else body


def _guards(values: Values, address: str) -> list[Mapping[str, Any]]:
    name = values[address]["id"]
    return [
        one for other, one in values.items() if f"{_BUCKET}." in other and one.get("bucket") == name
    ]


def _match(kind: str) -> dict[str, str]:
    return {"when": f"type == '{kind}'"}


_GUARDS: Final = f"referenced_by('{_BUCKET}')"
_ON_BUCKETS: Final = _match("aws_s3_bucket")
_ON_GROUPS: Final = _match("aws_security_group")
_ON_TEMPLATES: Final = _match("aws_launch_template")
_ON_ROLES: Final = _match("aws_iam_role")
_DISKS: Final = "after.block_device_mappings"
CLOUD_RULES: Final = (
    Rule("GUARDED", {**_ON_BUCKETS, "require": _GUARDS}, lambda v, a: bool(_guards(v, a))),
    Rule("ALONE", {**_ON_BUCKETS, "deny": _GUARDS}, lambda v, a: not _guards(v, a)),
    Rule(
        "GUARDED-ON",
        {**_ON_BUCKETS, "require": f"any({_GUARDS}, &after.block_public_acls)"},
        lambda v, a: any(one["block_public_acls"] for one in _guards(v, a)),
    ),
    Rule(
        "FEW-GUARDS",
        {**_ON_BUCKETS, "require": f"length({_GUARDS}) <= `1`"},
        lambda v, a: len(_guards(v, a)) <= 1,
    ),
    Rule(
        "NAMES-BUCKET",
        {**_match(_BUCKET), "require": "references('bucket')[?type == 'aws_s3_bucket']"},
    ),
    Rule("FEW-INGRESS", {**_ON_GROUPS, "require": "length(after.ingress) <= `1`"}),
    Rule("SOME-INGRESS", {**_ON_GROUPS, "require": "length(after.ingress) >= `1`"}),
    Rule("TWO-INGRESS", {**_ON_GROUPS, "deny": "length(after.ingress) == `2`"}),
    Rule("ANY-INGRESS", {**_ON_GROUPS, "require": "after.ingress"}),
    Rule(
        "CLOSED",
        {**_ON_GROUPS, "deny": "after.ingress[?contains(cidr_blocks, '0.0.0.0/0')]"},
    ),
    Rule("SSH", {**_ON_GROUPS, "deny": "any(after.ingress, &from_port == `22`)"}),
    Rule("ALL-HIGH", {**_ON_GROUPS, "require": "all(after.ingress, &from_port > `50`)"}),
    Rule("FIRST", {**_ON_GROUPS, "require": "after.ingress[0].protocol == 'tcp'"}),
    Rule(
        "HAS-INGRESS",
        {**_ON_GROUPS, "require": "configured('ingress')"},
        lambda v, a: bool(v[a]["ingress"]),
    ),
    Rule(
        "HAS-EGRESS",
        {**_ON_GROUPS, "deny": "configured('egress')"},
        lambda v, a: not v[a]["egress"],
    ),
    Rule("NO-EGRESS", {**_ON_GROUPS, "require": "length(after.egress) == `0`"}),
    Rule("ONE-DISK", {**_ON_TEMPLATES, "require": f"length({_DISKS}) <= `1`"}),
    Rule("NO-DISK", {**_ON_TEMPLATES, "require": f"!({_DISKS})"}),
    Rule(
        "ENCRYPTED",
        {**_ON_TEMPLATES, "require": f"all({_DISKS}, &all(ebs || `[]`, &{_ENCRYPTED}))"},
    ),
    Rule("OPEN-DISK", {**_ON_TEMPLATES, "deny": f"{_DISKS}[].ebs[?!{_ENCRYPTED}][]"}),
    Rule("EBS", {**_ON_TEMPLATES, "require": f"any({_DISKS}, &length(ebs || `[]`) == `1`)"}),
    Rule("DISK-SET", {**_ON_TEMPLATES, "require": "configured('block_device_mappings.ebs')"}),
    Rule(
        "TOKENS",
        {**_ON_TEMPLATES, "require": "any(after.metadata_options, &http_tokens == 'required')"},
    ),
    Rule("TOKENS-SET", {**_ON_TEMPLATES, "require": "configured('metadata_options')"}),
    Rule("NO-POLICY", {**_ON_ROLES, "require": "length(after.inline_policy) == `0`"}),
    Rule("FEW-POLICIES", {**_ON_ROLES, "require": "length(after.inline_policy) <= `1`"}),
    Rule(
        "STARS",
        {**_ON_ROLES, "deny": "after.inline_policy[?contains(policy, 's3:GetObject') == `false`]"},
    ),
    Rule(
        "POLICY-SET",
        {**_ON_ROLES, "deny": "configured('inline_policy')"},
        lambda v, a: not v[a]["inline_policy"],
    ),
)
"""Rules on nested blocks and on who guards a bucket."""
