"""Rules with one defect each, and the check that must name it."""

# ruff: noqa: E501 - a rule on one line is read at a glance

from __future__ import annotations

from textwrap import dedent
from typing import NamedTuple


class Planted(NamedTuple):
    """A rule that is wrong."""

    name: str
    check: str
    says: str
    """A part of the message."""
    rule: str


def _rule(types: str, body: str) -> str:
    listed = ", ".join(f'"{kind}"' for kind in types.split())
    head = 'id = "BAD-1"\ntitle = "Bad"\nseverity = "low"\nenforcement = "advisory"\n'
    message = "" if "message =" in body else 'message = "{address} is bad"\n'
    match = "" if "match = " in body else f"match.types = [{listed}]\n"
    return f'{head}on_unknown = "verify"\n{message}{match}{dedent(body)}\n'


def _planted(name: str, check: str, says: str, types: str, body: str) -> Planted:
    return Planted(name, check, says, _rule(types, body))


PLANTED = [
    # misspelt
    _planted("attribute", "unknown-attribute", "storage_encrypted", "aws_db_instance",
             "require = 'after.storage_encryptd'"),
    _planted("attribute compared", "unknown-attribute", "publicly_accessible", "aws_db_instance",
             "deny = 'after.publicly_accesible == `true`'"),
    _planted("plural", "unknown-attribute", "ingress", "aws_security_group",
             "deny = \"after.ingresses[?from_port == `22`]\""),
    _planted("inside an element", "unknown-attribute", "cidr_blocks", "aws_security_group",
             "deny = \"after.ingress[?contains(cidr_block, '0.0.0.0/0')]\""),
    _planted("inside a nested block", "unknown-attribute", "http_tokens", "aws_instance",
             "require = \"after.metadata_options[0].http_token == 'required'\""),
    _planted("camel case", "unknown-attribute", "engine_version", "aws_db_instance",
             "deny = \"after.engineVersion == '5.6'\""),
    _planted("resource type", "unknown-type", "aws_s3_bucket", "aws_s3_buckets",
             "deny = 'after.force_destroy'"),
    _planted("provider of a type", "unknown-type", "aws_instance", "asw_instance",
             "deny = 'after.monitoring == `false`'"),
    _planted("glob over types", "unknown-type", "aws_dynamo_*", "aws_dynamo_*",
             "deny = 'after.deletion_protection_enabled == `false`'"),
    _planted("root field", "does-not-load", "after", "aws_instance",
             "deny = \"afer.instance_type == 'm5.large'\""),
    _planted("action", "unknown-word", "delete", "aws_instance",
             "match = { types = ['aws_instance'], actions = ['delete', 'update'] }\n"
             "deny = \"action == 'destroy'\""),
    _planted("action among actions", "unknown-word", "delete", "aws_instance",
             "match = { types = ['aws_instance'], actions = ['delete'] }\n"
             "deny = \"contains(actions, 'destroy')\""),
    _planted("action that is not matched", "unknown-word", "delete", "aws_instance",
             "deny = \"action == 'delete'\""),
    _planted("action of the match", "does-not-load", "delete", "aws_instance",
             "match = { types = ['aws_instance'], actions = ['destroy'] }\ndeny = 'address'"),
    _planted("in the message", "unknown-attribute", "instance_type", "aws_instance",
             "deny = \"after.instance_type == 'm5.large'\"\nmessage = '{after.instance_typ}'"),
    _planted("item of the message", "unknown-attribute", "from_port", "aws_security_group",
             "deny = 'after.ingress[?from_port == `22`].{from_port: from_port}'\n"
             "message = '{@item.fromport}'"),
    _planted("in when", "unknown-attribute", "engine", "aws_db_instance",
             "when = \"after.engin == 'mysql'\"\ndeny = 'after.publicly_accessible'"),
    _planted("in let", "unknown-attribute", "root_block_device", "aws_instance",
             "let.disk = 'after.root_block_devices[0]'\ndeny = \"$disk.encrypted != `true`\""),
    _planted("argument of configured", "unknown-attribute", "lifecycle_rule", "aws_s3_bucket",
             "require = \"configured('lifecycle_rules')\""),
    _planted("argument of left_to_provider", "unknown-attribute", "encrypted", "aws_ebs_volume",
             "deny = \"left_to_provider('encryption') || after.encrypted != `true`\""),
    _planted("argument of references", "unknown-attribute", "kms_key_id", "aws_ebs_volume",
             "require = \"references('kms_key')\""),
    _planted("type that refers", "unknown-type", "aws_s3_bucket_public_access_block",
             "aws_s3_bucket", "require = \"referenced_by('aws_s3_bucket_public_access_blocks')\""),
    _planted("attribute of what refers", "unknown-attribute", "block_public_acls", "aws_s3_bucket",
             "require = \"referenced_by('aws_s3_bucket_public_access_block')"
             "[?after.block_public_acl]\""),
    _planted("on one of two types", "unknown-attribute", "aws_instance", "aws_ebs_volume aws_instance",
             "deny = 'after.encrypted == `false` && after.size > `10`'"),
    _planted("count of a plan", "unknown-attribute", "delete", "",
             "scope = 'plan'\nmatch = {}\ndeny = 'counts.destroy > `10`'"),
    _planted("change of a plan", "unknown-attribute", "instance_type", "",
             "scope = 'plan'\nmatch = {}\n"
             "deny = \"changes[?type == 'aws_instance' && after.instance_typ == 'm5.large']\""),
    _planted("example", "example-attribute", "instance_type", "aws_instance",
             "deny = \"after.instance_type == 'm5.large'\"\n[[tests]]\nname = 'a'\nexpect = 'pass'\n"
             "change = { type = 'aws_instance', after = { instance_typ = 't3.micro' } }"),
    _planted("string in double quotes", "unknown-attribute", "written 'tcp'", "aws_security_group",
             "deny = 'after.ingress[?protocol == \"tcp\"]'"),
    _planted("type in an expression", "unknown-type", "aws_instance", "",
             "scope = 'plan'\nmatch = {}\ndeny = \"changes[?type == 'aws_instnce']\""),
    _planted("type among types", "unknown-type", "aws_db_instance", "",
             "match = { actions = ['delete'] }\n"
             "deny = \"contains(['aws_db_instace', 'aws_efs_file_system'], type)\""),
    _planted("provider", "unknown-type", "aws", "",
             "match = { providers = ['awss'] }\ndeny = 'address'"),
    _planted("argument of the configuration", "unknown-attribute", "ami", "aws_instance",
             "require = 'config.expressions.amii'"),
    _planted("sensitivity as a string", "type-mismatch", "write `true`", "",
             "scope = 'output'\nmatch = {}\nrequire = \"sensitive == 'true'\""),
    # mis-nested
    _planted("block as an object", "wrong-nesting", "is a list", "aws_instance",
             "require = 'after.root_block_device.encrypted'"),
    _planted("block in a block", "wrong-nesting", "is a list", "aws_s3_bucket",
             "require = 'after.server_side_encryption_configuration[0].rule"
             ".apply_server_side_encryption_by_default[0].sse_algorithm'"),
    _planted("set of objects", "wrong-nesting", "is a list", "aws_security_group",
             "deny = 'after.ingress.from_port == `22`'"),
    _planted("string as an object", "wrong-nesting", "parse_json", "aws_iam_policy",
             "deny = \"after.policy.Statement[?Effect == 'Allow']\""),
    _planted("map as a list", "wrong-nesting", "is an object", "aws_instance",
             "require = \"after.tags[?key == 'Owner']\""),
    _planted("string as a list", "wrong-nesting", "is a string", "aws_instance",
             "require = \"after.instance_type[0] == 't'\""),
    _planted("nested in the message", "wrong-nesting", "is a list", "aws_instance",
             "deny = 'after.root_block_device[0].encrypted == `false` && address'\n"
             "message = '{after.root_block_device.volume_size}'"),
    _planted("in an example", "example-attribute", "list of blocks", "aws_instance",
             "deny = 'after.root_block_device[0].encrypted != `true`'\n[[tests]]\nname = 'a'\n"
             "expect = 'fail'\nchange = { type = 'aws_instance', after = "
             "{ root_block_device = { encrypted = false } } }"),
    _planted("encryption of a repository", "wrong-nesting", "is a list", "aws_ecr_repository",
             "require = \"after.encryption_configuration.encryption_type == 'KMS'\""),
    _planted("field of a name", "wrong-nesting", "is a string", "aws_lb",
             "require = 'after.access_logs[0].bucket.name'"),
    _planted("lists in a list", "type-mismatch", "never equal", "aws_security_group",
             "deny = \"contains(after.ingress[*].cidr_blocks, '0.0.0.0/0')\""),
    _planted("list of lists compared", "type-mismatch", "contains", "aws_security_group",
             "deny = \"after.ingress[*].cidr_blocks == '0.0.0.0/0'\""),
    _planted("keys of a list", "type-raises", "takes object", "aws_security_group",
             "deny = \"contains(keys(after.ingress), 'x')\""),
    # types
    _planted("boolean as a string", "type-mismatch", "write `true`", "aws_db_instance",
             "require = \"after.storage_encrypted == 'true'\""),
    _planted("number as a string", "type-mismatch", "write `22`", "aws_security_group_rule",
             "deny = \"after.from_port == '22'\""),
    _planted("string as a number", "type-mismatch", "never equal", "aws_ecs_task_definition",
             "deny = 'after.cpu == `256`'"),
    _planted("list as a string", "type-mismatch", "contains", "aws_security_group_rule",
             "deny = \"after.cidr_blocks == '0.0.0.0/0'\""),
    _planted("number among strings", "type-mismatch", "never equal", "aws_security_group_rule",
             "deny = 'contains(after.cidr_blocks || `[]`, `0`)'"),
    _planted("ordering of a string", "not-ordered", "to_number", "aws_ecs_task_definition",
             "deny = 'after.memory > `1024`'"),
    _planted("ordering of text", "not-ordered", "letter by letter", "aws_ecs_task_definition",
             "deny = \"after.memory > '1024'\""),
    _planted("ordering of a list", "not-ordered", "null always", "aws_security_group_rule",
             "deny = 'after.cidr_blocks > `1`'"),
    _planted("ordering with a string", "not-ordered", "write `7`", "aws_db_instance",
             "require = \"after.backup_retention_period >= '7'\""),
    _planted("function of another type", "type-raises", "takes string", "aws_db_instance",
             "deny = \"starts_with(after.allocated_storage, '1')\""),
    # null-blind
    _planted("contains of null", "null-raises", "may be null", "aws_security_group_rule",
             "deny = \"contains(after.cidr_blocks, '0.0.0.0/0')\""),
    _planted("length of null", "null-raises", "may be null", "aws_instance",
             "require = 'length(after.tags) > `0`'"),
    _planted("starts_with of null", "null-raises", "may be null", "aws_lambda_function",
             "deny = \"starts_with(after.runtime, 'python2')\""),
    _planted("key of a map", "null-raises", "no such key", "aws_instance",
             "require = \"after.tags && matches(after.tags.Owner, '@')\""),
    _planted("block that is not there", "null-raises", "no such element", "aws_s3_bucket_website_configuration",
             "deny = \"ends_with(after.error_document[0].key, '.php')\""),
    _planted("false of null", "null-passes", "left out", "aws_db_instance",
             "deny = 'after.storage_encrypted == `false`'"),
    _planted("not false", "null-passes", "left out", "aws_rds_cluster",
             "require = 'after.deletion_protection != `false`'"),
    _planted("less than null", "null-passes", "left out", "aws_cloudwatch_log_group",
             "deny = 'after.retention_in_days < `90`'"),
    _planted("empty and null", "null-passes", "left out", "aws_lambda_function",
             "deny = \"after.kms_key_arn == ''\""),
    _planted("not empty", "null-passes", "left out", "aws_instance", "require = 'after.tags != `{}`'"),
    _planted("false of a block that is not there", "null-passes", "left out", "aws_lb",
             "deny = 'after.access_logs[0].enabled == `false`'"),
    _planted("before of a creation", "never-there", "after has", "aws_instance",
             "match = { types = ['aws_instance'], actions = ['create'] }\n"
             "deny = 'before.instance_type != after.instance_type'"),
    _planted("null in the message", "null-in-message", "may be null", "aws_lambda_function",
             "deny = 'after.memory_size != `128`'\nmessage = 'in {after.description}'"),
    # the rest
    _planted("after of a deletion", "never-there", "before has", "aws_db_instance",
             "match = { types = ['aws_db_instance'], actions = ['delete'] }\n"
             "deny = 'after.skip_final_snapshot'"),
    _planted("write-only", "write-only", "null in every plan", "aws_db_instance",
             "deny = 'after.password_wo'"),
    _planted("deprecated", "deprecated", "deprecated", "aws_s3_bucket",
             "deny = \"after.acl == 'public-read'\""),
    _planted("let that nothing uses", "unused", "$x", "aws_instance",
             "let.x = 'after.ami'\ndeny = 'after.monitoring == `true`'"),
    _planted("literal of its own", "never-fails", "cannot fail", "aws_instance",
             "deny = '`1` > `2` && `false`'"),
    _planted("a pipe that takes both", "piped-all", "or after.vpc_security_group_ids || (", "aws_instance",
             "deny = \"after.vpc_security_group_ids || after.security_groups | [?@ == 'x']\""),
    _planted("when that never holds", "never-selects", "is false", "aws_instance",
             "when = '`false`'\ndeny = 'after.monitoring'"),
]  # fmt: skip
