"""What a rule of each scope sees: every field of the root, its type, what it says, an example.

Declared here once. `tfgate.plan` and `tfgate.hcl` make the documents (a test compares), the loader
refuses other names, lint and the language server know the types from here, and
`docs/reference/subjects.md` is made of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tfgate.model.rule import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping


class Field(NamedTuple):
    """One field of a subject's root."""

    type: str
    """``string``, ``number``, ``boolean``, ``object``, ``any``, ``list(…)``, ``map(…)``, or the
    name of a scope for what is the root of that scope; ``?`` behind it says that it may be null."""
    text: str
    """What it says, in Markdown."""
    example: str
    """A value as JSON, shortened with ``…`` where it is long."""


_SOURCE: Final = Field(
    "object?",
    "File and first line in the sources; null where the sources do not show it.",
    '{"file": "main.tf", "line": 12}',
)
_ADDRESS: Final = Field("string", "Address of the instance.", '"module.net[\\"a\\"].aws_vpc.v[0]"')
_MODULE: Final = Field(
    "string", "Address of the module instance; empty for the root module.", '"module.net[\\"a\\"]"'
)
_NAME: Final = Field("string", "Name in the configuration.", '"v"')
_ACTION: Final = Field(
    "string",
    "`create`, `update`, `replace`, `delete`, `read`, `no-op` or `forget`.",
    '"replace"',
)
_ACTIONS: Final = Field("list(string)", "The words of the plan format.", '["delete", "create"]')
_EXPRESSIONS: Final = Field(
    "object",
    "Arguments as the plan shows them: `constant_value` or `references`; blocks are lists.",
    '{"region": {"references": ["var.region"]}}',
)
_ARGUMENTS: Final = Field(
    "object",
    "The same arguments as values. Variables, locals, outputs and keys are followed through the "
    "modules, where the sources show that an expression holds nothing else; all else is unknown.",
    '{"region": "eu-west-1"}',
)
_REPEATED: Final = Field(
    "object?", "The expression of the meta-argument; null without it.", '{"constant_value": 2}'
)

_CHANGE: Final = {
    "address": _ADDRESS,
    "config_address": Field(
        "string", "The address without the keys of instances.", '"module.net.aws_vpc.v"'
    ),
    "previous_address": Field(
        "string?", "Address before a `moved` block took effect; null otherwise.", '"aws_vpc.old"'
    ),
    "module_address": _MODULE,
    "module_config_address": Field(
        "string", "The module's address without the keys of instances.", '"module.net"'
    ),
    "module_source": Field(
        "string?",
        "`source` of the module call, as written; null in the root module, and for what belongs to "
        "a module that the configuration does not have any more.",
        '"terraform-aws-modules/vpc/aws"',
    ),
    "module_version": Field(
        "string?", "`version` of the module call, as written; null without one.", '"~> 5.1"'
    ),
    "module_variables": Field(
        "object",
        "The variables that the change's module declares, with their values there. A value that "
        "neither the plan nor the sources show is unknown.",
        '{"environment": "prod", "cidr": "10.0.0.0/16"}',
    ),
    "mode": Field("string", "`managed`, or `data` for a data source.", '"managed"'),
    "type": Field("string", "Resource type.", '"aws_vpc"'),
    "name": _NAME,
    "index": Field("any", "`count` number or `for_each` key; null without either.", "0"),
    "provider_name": Field(
        "string", "Full name of the provider.", '"registry.terraform.io/hashicorp/aws"'
    ),
    "deposed": Field("string?", "Key of a deposed object; null for the current one.", '"5f3a1c22"'),
    "action": _ACTION,
    "actions": _ACTIONS,
    "action_reason": Field(
        "string?", "Why, in the words of the plan format.", '"replace_because_cannot_update"'
    ),
    "replace_paths": Field(
        "list(any)", "Paths of the attributes that force the replacement.", '[["cidr_block"]]'
    ),
    "importing": Field(
        "object?", "What is imported; null for what is not.", '{"id": "vpc-0a1b2c3d"}'
    ),
    "deferred_reason": Field(
        "string?",
        "Why a later plan will make the change; null otherwise.",
        '"provider_config_unknown"',
    ),
    "before": Field(
        "object?",
        "Values in the state; null for what is not there.",
        '{"cidr_block": "10.0.0.0/8"}',
    ),
    "after": Field(
        "object?",
        "Values after the apply, unknown where they are not known yet; null for what goes.",
        '{"cidr_block": "10.0.0.0/16", …}',
    ),
    "before_identity": Field(
        "object?", "Resource identity in the state.", '{"id": "vpc-0a1b2c3d"}'
    ),
    "after_identity": Field(
        "object?", "Resource identity after the apply.", '{"id": "vpc-0a1b2c3d"}'
    ),
    "config": Field(
        "object?",
        "The block in the configuration: `expressions`, `count_expression`, "
        "`for_each_expression`, `depends_on`, `provisioners`, `provider_config_key`, "
        "`schema_version`; null for what the configuration does not have any more.",
        '{"expressions": {"cidr_block": {"references": ["var.cidr"]}}, …}',
    ),
    "source": _SOURCE,
}

_OUTPUT: Final = {
    "address": Field("string", "`output.` and the name.", '"output.url"'),
    "name": Field("string", "Name of the output of the root module.", '"url"'),
    "action": _ACTION,
    "actions": _ACTIONS,
    "before": Field("any", "Value in the state.", '"http://old.example"'),
    "after": Field("any", "Value after the apply; may be unknown.", '"http://new.example"'),
    "sensitive": Field("boolean?", "Whether it is declared or marked sensitive.", "false"),
    "type": Field("any", "Type as Terraform writes it.", '["list", "string"]'),
    "config": Field(
        "object?",
        "The block: `expression`, `sensitive`, `description`, `depends_on`; null if it goes.",
        '{"expression": {"references": ["aws_lb.l.dns_name", "aws_lb.l"]}, …}',
    ),
    "source": _SOURCE,
}

_MODULE_CALL: Final = {
    "address": Field("string", "Address of the call, without keys.", '"module.net.module.subnets"'),
    "name": Field("string", "Name of the call.", '"subnets"'),
    "module_address": Field(
        "string",
        "Address of the module that calls, without keys; empty for the root.",
        '"module.net"',
    ),
    "source": Field("string?", "`source`, as written.", '"terraform-aws-modules/vpc/aws"'),
    "version_constraint": Field("string?", "`version`, as written.", '"~> 5.1"'),
    "expressions": _EXPRESSIONS,
    "arguments": _ARGUMENTS,
    "count_expression": _REPEATED,
    "for_each_expression": _REPEATED,
    "depends_on": Field("list(string)", "Addresses in `depends_on`.", '["aws_vpc.v"]'),
}

_PROVIDER: Final = {
    "address": Field("string", "Address of the configuration.", '"module.net.provider.aws.west"'),
    "name": Field("string", "Local name.", '"aws"'),
    "full_name": Field(
        "string?", "Full name; null in plans before 1.1.", '"registry.terraform.io/hashicorp/aws"'
    ),
    "alias": Field("string?", "Alias; null for the default configuration.", '"west"'),
    "version_constraint": Field("string?", "Version that the module asks for.", '"~> 5.0"'),
    "module_address": Field("string", "Module that it stands in, without keys.", '"module.net"'),
    "expressions": _EXPRESSIONS,
    "arguments": _ARGUMENTS,
    "source": _SOURCE,
}

_INVOCATION: Final = {
    "address": Field("string", "Address of the action.", '"module.net.action.aws_lambda_invoke.a"'),
    "module_address": _MODULE,
    "type": Field("string", "Type of the action.", '"aws_lambda_invoke"'),
    "name": _NAME,
    "provider_name": Field(
        "string", "Full name of the provider.", '"registry.terraform.io/hashicorp/aws"'
    ),
    "config_values": Field("any", "Its arguments; may be unknown.", '{"function_name": "migrate"}'),
    "lifecycle_action_trigger": Field(
        "object?",
        "The resource and event that invoke it; null for an action that somebody named.",
        '{"triggering_resource_address": "aws_db_instance.d", …}',
    ),
    "invoke_action_trigger": Field(
        "object?", "Set for an action that somebody named with `-invoke`.", "{}"
    ),
    "deferred_reason": Field(
        "string?", "Why it is deferred; null otherwise.", '"instance_count_unknown"'
    ),
    "source": _SOURCE,
}

_PLAN: Final = {
    "counts": Field(
        "map(number)",
        "Changes per action (every action has a number), of managed resources and data sources; "
        "beside them `import`, `move`, `drift` and `deferred`.",
        '{"create": 3, "delete": 0, "read": 1, …, "import": 0, "move": 1, …}',
    ),
    "counts_by_type": Field(
        "map(map(number))",
        "Changes per type and action; what there is none of is absent.",
        '{"aws_vpc": {"create": 1}}',
    ),
    "resources_before": Field(
        "number",
        "Instances of managed resources that exist before the apply: those of the state after "
        "Terraform has refreshed it. What the plan imports counts as not there yet; data sources "
        "and deposed objects do not count.",
        "40",
    ),
    "resources_after": Field(
        "number",
        "Instances of managed resources in the state after the apply: those before, and what the "
        "plan creates or imports, without what it deletes or forgets. A replaced one counts once.",
        "42",
    ),
    "changes": Field("list(resource)", "Every resource change, as in a resource rule.", "[…]"),
    "data_sources": Field(
        "list(resource)",
        "Data sources that were read while the plan was made, as in a resource rule.",
        "[…]",
    ),
    "drift": Field("list(resource)", "What changed outside of Terraform.", "[…]"),
    "deferred": Field("list(resource)", "What this plan leaves for a later one.", "[…]"),
    "outputs": Field("list(output)", "Every output, as in an output rule.", "[…]"),
    "actions": Field("list(action)", "Every action that is invoked, as in an action rule.", "[…]"),
    "providers": Field("list(provider)", "Every provider, as in a provider rule.", "[…]"),
    "modules": Field("list(module)", "Every module call, as in a module rule.", "[…]"),
    "variables": Field("object", "Variables of the root module.", '{"region": "eu-west-1"}'),
    "checks": Field(
        "list(any)", "Results of `check` blocks and conditions.", '[{"status": "pass", …}]'
    ),
    "complete": Field(
        "boolean?", "False if the apply leaves something out; null before Terraform 1.8.", "true"
    ),
    "applyable": Field(
        "boolean?", "False if there is nothing to apply; null before Terraform 1.7.", "true"
    ),
    "errored": Field("boolean", "Whether planning failed: such a plan is refused.", "false"),
    "format_version": Field("string", "Version of the plan format.", '"1.2"'),
    "terraform_version": Field("string?", "Version that made the plan.", '"1.11.4"'),
    "timestamp": Field("string?", "When the plan was made.", '"2026-01-05T12:00:00Z"'),
    "workspace": Field("string?", "Name of the workspace.", '"prod-eu"'),
    "source": Field("object?", "Null: a plan stands at no place.", "null"),
}

_BLOCK: Final = {
    "kind": Field("string", "`resource`, `data`, `module`, `terraform`, …", '"resource"'),
    "type": Field(
        "string", "Resource type, or the name of a provider; empty for other kinds.", '"aws_vpc"'
    ),
    "name": Field("string", "Last label; empty where the kind has none.", '"v"'),
    "labels": Field("list(string)", "All labels.", '["aws_vpc", "v"]'),
    "address": Field("string", "Address in the configuration.", '"module.net.aws_vpc.v"'),
    "file": Field("string", "File, relative to the root module.", '"modules/net/main.tf"'),
    "line": Field("number", "First line.", "12"),
    "end_line": Field("number?", "Last line.", "19"),
    "module": Field(
        "string", "Address of the module, without keys; empty for the root.", '"module.net"'
    ),
    "body": Field(
        "object",
        "Arguments, and nested blocks as lists; an expression that is no literal is unknown.",
        '{"cidr_block": "10.0.0.0/16", "lifecycle": [{"prevent_destroy": true}]}',
    ),
    "written": Field(
        "object",
        'The same, with `{"expression": …}` for what is no literal.',
        '{"cidr_block": {"expression": "var.cidr"}}',
    ),
    "blocks": Field(
        "map(number)?",
        "Of a `terraform` block: how many blocks of each kind the module has; null elsewhere.",
        '{"resource": 4, "variable": 2}',
    ),
    "providers": Field(
        "list(object)?",
        "Of a `terraform` block: the providers that the module requires or uses; null elsewhere.",
        '[{"name": "aws", "required": true, "used": true, "version": "~> 5.0", …}]',
    ),
}

FIELDS: Final[Mapping[Scope, Mapping[str, Field]]] = {
    Scope.RESOURCE: _CHANGE,
    Scope.DRIFT: _CHANGE,
    Scope.OUTPUT: _OUTPUT,
    Scope.PLAN: _PLAN,
    Scope.MODULE: _MODULE_CALL,
    Scope.PROVIDER: _PROVIDER,
    Scope.ACTION: _INVOCATION,
    Scope.SOURCE: _BLOCK,
}
"""The fields of the root of each scope, in the order in which a page shows them."""
