"""Resources in the shapes that Terraform 1.11 prints with the AWS provider 5.100."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

Values = dict[str, Any]

ALLOWED = ["t3.micro", "t3.small", "t3.medium", "m6i.large", "m6i.xlarge"]
"""Instance types that the benchmark's rules allow."""


def hexadecimal(r: Random, digits: int) -> str:
    """Return so many random digits."""
    return f"{r.getrandbits(4 * digits):0{digits}x}"


def tags(r: Random, i: int, *, owner: bool = True) -> Values:
    """Return the tags of resource ``i``."""
    t = {
        "Name": f"res-{i}",
        "Env": r.choice(["prod", "stage", "dev"]),
        "CostCentre": f"cc-{r.randrange(1000, 9999)}",
        "ManagedBy": "terraform",
    }
    if owner:
        t["Owner"] = f"team-{r.randrange(40)}"
    return dict(sorted(t.items()))


def bucket(r: Random, i: int, bad: bool) -> Values:
    """A bucket; a bad one has no Owner tag."""
    b = f"acme-bucket-{i}"
    t = tags(r, i, owner=not bad)
    return {
        "acceleration_status": "",
        "acl": None,
        "arn": f"arn:aws:s3:::{b}",
        "bucket": b,
        "bucket_domain_name": f"{b}.s3.amazonaws.com",
        "bucket_prefix": "",
        "bucket_regional_domain_name": f"{b}.s3.us-east-1.amazonaws.com",
        "cors_rule": [],
        "force_destroy": False,
        "grant": [
            {
                "id": hexadecimal(r, 64),
                "permissions": ["FULL_CONTROL"],
                "type": "CanonicalUser",
                "uri": "",
            }
        ],
        "hosted_zone_id": "Z3AQBSTGFYJSTF",
        "id": b,
        "lifecycle_rule": [
            {
                "abort_incomplete_multipart_upload_days": 7,
                "enabled": True,
                "expiration": [],
                "id": "abort",
                "noncurrent_version_expiration": [{"days": 90}],
                "noncurrent_version_transition": [],
                "prefix": "",
                "tags": {},
                "transition": [{"date": "", "days": 30, "storage_class": "STANDARD_IA"}],
            }
        ],
        "logging": [],
        "object_lock_configuration": [],
        "object_lock_enabled": False,
        "policy": "",
        "region": "us-east-1",
        "replication_configuration": [],
        "request_payer": "BucketOwner",
        "server_side_encryption_configuration": [
            {
                "rule": [
                    {
                        "apply_server_side_encryption_by_default": [
                            {"kms_master_key_id": "", "sse_algorithm": "AES256"}
                        ],
                        "bucket_key_enabled": False,
                    }
                ]
            }
        ],
        "tags": t,
        "tags_all": t,
        "timeouts": None,
        "versioning": [{"enabled": True, "mfa_delete": False}],
        "website": [],
        "website_domain": None,
        "website_endpoint": None,
    }


def rule(
    description: str, cidrs: list[str], port: int, proto: str = "tcp", to: int | None = None
) -> Values:
    """One rule of a security group."""
    return {
        "cidr_blocks": cidrs,
        "description": description,
        "from_port": port,
        "ipv6_cidr_blocks": [],
        "prefix_list_ids": [],
        "protocol": proto,
        "security_groups": [],
        "self": False,
        "to_port": port if to is None else to,
    }


def security_group(r: Random, i: int, bad: bool) -> Values:
    """A security group; a bad one lets the world in by ssh."""
    ing = [
        rule(
            f"rule {j}",
            [f"10.{r.randrange(256)}.{r.randrange(256)}.0/24" for _ in range(r.randrange(1, 4))],
            r.choice([80, 443, 8080, 5432, 22, 9090]),
        )
        for j in range(r.randrange(1, 7))
    ]
    if r.random() < 0.3:
        ing.append(rule("public https", ["0.0.0.0/0"], 443))
    if bad:
        ing.insert(
            r.randrange(len(ing) + 1),
            rule("ssh", ["10.0.0.0/8", "0.0.0.0/0"], r.choice([22, 20]), to=r.choice([22, 25])),
        )
    t = tags(r, i)
    return {
        "arn": f"arn:aws:ec2:us-east-1:123456789012:security-group/sg-{i:017x}",
        "description": "Managed by Terraform",
        "egress": [rule("", ["0.0.0.0/0"], 0, "-1")],
        "id": f"sg-{i:017x}",
        "ingress": ing,
        "name": f"app-{i}",
        "name_prefix": "",
        "owner_id": "123456789012",
        "revoke_rules_on_delete": False,
        "tags": t,
        "tags_all": t,
        "timeouts": None,
        "vpc_id": "vpc-0123456789abcdef0",
    }


def instance(r: Random, i: int, bad: bool) -> Values:
    """An instance; a bad one has a wrong type, IMDSv1, or a plain root volume."""
    which = r.randrange(3) if bad else -1
    t = tags(r, i)
    ip = f"10.0.{r.randrange(256)}.{r.randrange(256)}"
    return {
        "ami": f"ami-{hexadecimal(r, 17)}",
        "arn": f"arn:aws:ec2:us-east-1:123456789012:instance/i-{i:017x}",
        "associate_public_ip_address": False,
        "availability_zone": "us-east-1a",
        "capacity_reservation_specification": [
            {"capacity_reservation_preference": "open", "capacity_reservation_target": []}
        ],
        "cpu_core_count": 1,
        "cpu_options": [{"amd_sev_snp": "", "core_count": 1, "threads_per_core": 2}],
        "cpu_threads_per_core": 2,
        "credit_specification": [{"cpu_credits": "unlimited"}],
        "disable_api_stop": False,
        "disable_api_termination": False,
        "ebs_block_device": [
            {
                "delete_on_termination": True,
                "device_name": f"/dev/sd{c}",
                "encrypted": True,
                "iops": 3000,
                "kms_key_id": f"arn:aws:kms:us-east-1:123456789012:key/{hexadecimal(r, 32)}",
                "snapshot_id": "",
                "tags": None,
                "tags_all": {},
                "throughput": 125,
                "volume_id": f"vol-{hexadecimal(r, 17)}",
                "volume_size": 100,
                "volume_type": "gp3",
            }
            for c in "fgh"[: r.randrange(0, 4)]
        ],
        "ebs_optimized": False,
        "enable_primary_ipv6": None,
        "enclave_options": [{"enabled": False}],
        "ephemeral_block_device": [],
        "get_password_data": False,
        "hibernation": False,
        "host_id": "",
        "host_resource_group_arn": None,
        "iam_instance_profile": "",
        "id": f"i-{i:017x}",
        "instance_initiated_shutdown_behavior": "stop",
        "instance_lifecycle": "",
        "instance_market_options": [],
        "instance_state": "running",
        "instance_type": "x2idn.32xlarge" if which == 0 else r.choice(ALLOWED),
        "ipv6_address_count": 0,
        "ipv6_addresses": [],
        "key_name": "ops",
        "launch_template": [],
        "maintenance_options": [{"auto_recovery": "default"}],
        "metadata_options": [
            {
                "http_endpoint": "enabled",
                "http_protocol_ipv6": "disabled",
                "http_put_response_hop_limit": 1,
                "http_tokens": "optional" if which == 1 else "required",
                "instance_metadata_tags": "disabled",
            }
        ],
        "monitoring": False,
        "network_interface": [],
        "outpost_arn": "",
        "password_data": "",
        "placement_group": "",
        "placement_partition_number": 0,
        "primary_network_interface_id": f"eni-{hexadecimal(r, 17)}",
        "private_dns": f"ip-{ip.replace('.', '-')}.ec2.internal",
        "private_dns_name_options": [
            {
                "enable_resource_name_dns_a_record": False,
                "enable_resource_name_dns_aaaa_record": False,
                "hostname_type": "ip-name",
            }
        ],
        "private_ip": ip,
        "public_dns": "",
        "public_ip": "",
        "root_block_device": [
            {
                "delete_on_termination": True,
                "device_name": "/dev/xvda",
                "encrypted": which != 2,
                "iops": 3000,
                "kms_key_id": "",
                "tags": None,
                "tags_all": {},
                "throughput": 125,
                "volume_id": f"vol-{hexadecimal(r, 17)}",
                "volume_size": 50,
                "volume_type": "gp3",
            }
        ],
        "secondary_private_ips": [],
        "security_groups": [],
        "source_dest_check": True,
        "subnet_id": "subnet-0123456789abcdef0",
        "tags": t,
        "tags_all": t,
        "tenancy": "default",
        "timeouts": None,
        "user_data": hexadecimal(r, 40),
        "user_data_base64": None,
        "user_data_replace_on_change": False,
        "volume_tags": None,
        "vpc_security_group_ids": [f"sg-{hexadecimal(r, 17)}"],
    }


def database(r: Random, i: int, bad: bool) -> Values:
    """A database; a bad one is not encrypted, or public."""
    which = r.randrange(2) if bad else -1
    t = tags(r, i)
    h = f"db-{i}.cabcdefghijk.us-east-1.rds.amazonaws.com"
    return {
        "address": h,
        "allocated_storage": 100,
        "allow_major_version_upgrade": None,
        "apply_immediately": False,
        "arn": f"arn:aws:rds:us-east-1:123456789012:db:db-{i}",
        "auto_minor_version_upgrade": True,
        "availability_zone": "us-east-1b",
        "backup_retention_period": 7,
        "backup_target": "region",
        "backup_window": "03:00-04:00",
        "blue_green_update": [],
        "ca_cert_identifier": "rds-ca-rsa2048-g1",
        "character_set_name": "",
        "copy_tags_to_snapshot": False,
        "custom_iam_instance_profile": "",
        "customer_owned_ip_enabled": False,
        "database_insights_mode": "standard",
        "db_name": "app",
        "db_subnet_group_name": "main",
        "dedicated_log_volume": False,
        "delete_automated_backups": True,
        "deletion_protection": False,
        "domain": "",
        "domain_auth_secret_arn": "",
        "domain_dns_ips": [],
        "domain_fqdn": "",
        "domain_iam_role_name": "",
        "domain_ou": "",
        "enabled_cloudwatch_logs_exports": ["postgresql", "upgrade"],
        "endpoint": h + ":5432",
        "engine": "postgres",
        "engine_lifecycle_support": "open-source-rds-extended-support",
        "engine_version": "16.3",
        "engine_version_actual": "16.3",
        "final_snapshot_identifier": None,
        "hosted_zone_id": "Z2R2ITUGPM61AM",
        "iam_database_authentication_enabled": False,
        "id": "db-" + hexadecimal(r, 26).upper(),
        "identifier": f"db-{i}",
        "identifier_prefix": "",
        "instance_class": "db.t4g.medium",
        "iops": 3000,
        "kms_key_id": f"arn:aws:kms:us-east-1:123456789012:key/{hexadecimal(r, 32)}",
        "latest_restorable_time": "2025-06-01T10:00:00Z",
        "license_model": "postgresql-license",
        "listener_endpoint": [],
        "maintenance_window": "sun:05:00-sun:06:00",
        "manage_master_user_password": None,
        "master_user_secret": [],
        "master_user_secret_kms_key_id": None,
        "max_allocated_storage": 0,
        "monitoring_interval": 0,
        "monitoring_role_arn": "",
        "multi_az": True,
        "nchar_character_set_name": "",
        "network_type": "IPV4",
        "option_group_name": "default:postgres-16",
        "parameter_group_name": "default.postgres16",
        "password": "hunter2" + hexadecimal(r, 8),
        "password_wo": None,
        "password_wo_version": None,
        "performance_insights_enabled": False,
        "performance_insights_kms_key_id": "",
        "performance_insights_retention_period": 0,
        "port": 5432,
        "publicly_accessible": which == 1,
        "replica_mode": "",
        "replicas": [],
        "replicate_source_db": "",
        "resource_id": "db-" + hexadecimal(r, 26).upper(),
        "restore_to_point_in_time": [],
        "s3_import": [],
        "skip_final_snapshot": True,
        "snapshot_identifier": None,
        "status": "available",
        "storage_encrypted": which != 0,
        "storage_throughput": 125,
        "storage_type": "gp3",
        "tags": t,
        "tags_all": t,
        "timeouts": None,
        "timezone": "",
        "upgrade_storage_config": None,
        "username": "app",
        "vpc_security_group_ids": [f"sg-{hexadecimal(r, 17)}"],
    }


def policy(r: Random, i: int, bad: bool) -> Values:
    """A policy; a bad one allows every action."""
    st: list[Values] = [
        {
            "Action": r.sample(
                [
                    "s3:GetObject",
                    "s3:PutObject",
                    "s3:ListBucket",
                    "sqs:SendMessage",
                    "kms:Decrypt",
                    "logs:PutLogEvents",
                    "dynamodb:GetItem",
                ],
                r.randrange(1, 5),
            ),
            "Effect": "Allow",
            "Resource": [f"arn:aws:s3:::acme-bucket-{i}/*", f"arn:aws:s3:::acme-bucket-{i}"],
            "Sid": f"S{j}",
        }
        for j in range(r.randrange(1, 5))
    ]
    if r.random() < 0.2:
        st[0]["Action"] = "s3:*"
    if bad:
        st.append(
            {
                "Action": "*" if r.random() < 0.5 else ["s3:GetObject", "*"],
                "Effect": "Allow",
                "Resource": "*",
                "Sid": "Admin",
            }
        )
    t = tags(r, i)
    return {
        "arn": f"arn:aws:iam::123456789012:policy/pol-{i}",
        "attachment_count": 1,
        "description": "",
        "id": f"arn:aws:iam::123456789012:policy/pol-{i}",
        "name": f"pol-{i}",
        "name_prefix": "",
        "path": "/",
        "policy": json.dumps(
            {"Statement": st, "Version": "2012-10-17"}, separators=(",", ":"), sort_keys=True
        ),
        "policy_id": "ANPA" + hexadecimal(r, 17).upper(),
        "tags": t,
        "tags_all": t,
    }


def null(r: Random, i: int, bad: bool) -> Values:
    """A resource that no rule looks at."""
    return {"id": str(r.getrandbits(62)), "triggers": {"hash": hexadecimal(r, 64), "when": str(i)}}


MAKE: dict[str, Callable[[Random, int, bool], Values]] = {
    "aws_s3_bucket": bucket,
    "aws_security_group": security_group,
    "aws_instance": instance,
    "aws_db_instance": database,
    "aws_iam_policy": policy,
    "null_resource": null,
}
"""How a resource of each type is made: random numbers, its number, whether it breaks a rule."""


def _names(text: str) -> list[str]:
    return text.split()


UNKNOWN = {
    "aws_s3_bucket": _names("""
        acceleration_status acl arn bucket_domain_name bucket_prefix
        bucket_regional_domain_name grant hosted_zone_id id object_lock_enabled policy
        region request_payer website_domain website_endpoint
    """),
    "aws_security_group": ["arn", "id", "name_prefix", "owner_id"],
    "aws_instance": _names("""
        arn associate_public_ip_address availability_zone
        capacity_reservation_specification cpu_core_count cpu_options
        cpu_threads_per_core disable_api_stop disable_api_termination ebs_optimized
        enable_primary_ipv6 enclave_options ephemeral_block_device host_id
        host_resource_group_arn iam_instance_profile id
        instance_initiated_shutdown_behavior instance_lifecycle instance_market_options
        instance_state ipv6_address_count ipv6_addresses maintenance_options monitoring
        network_interface outpost_arn password_data placement_group
        placement_partition_number primary_network_interface_id private_dns
        private_dns_name_options private_ip public_dns public_ip secondary_private_ips
        security_groups tenancy user_data_base64 vpc_security_group_ids
    """),
    "aws_db_instance": _names("""
        address arn availability_zone backup_target backup_window ca_cert_identifier
        character_set_name database_insights_mode db_subnet_group_name domain_fqdn
        endpoint engine_lifecycle_support engine_version_actual hosted_zone_id id
        identifier_prefix iops kms_key_id latest_restorable_time license_model
        listener_endpoint maintenance_window master_user_secret
        master_user_secret_kms_key_id monitoring_role_arn multi_az
        nchar_character_set_name network_type option_group_name parameter_group_name
        performance_insights_kms_key_id performance_insights_retention_period port
        replica_mode replicas resource_id snapshot_identifier status storage_throughput
        storage_type timezone vpc_security_group_ids
    """),
    "aws_iam_policy": _names("""
        arn attachment_count id name_prefix policy_id
    """),
    "null_resource": ["id"],
}
"""Attributes that a provider fills in: unknown where the resource is made."""

NESTED_UNKNOWN = {
    "ebs_block_device": _names("""
        iops kms_key_id snapshot_id tags_all throughput volume_id volume_type
    """),
    "root_block_device": _names("""
        device_name iops kms_key_id tags_all throughput volume_id
    """),
    "metadata_options": ["http_put_response_hop_limit", "instance_metadata_tags"],
}
"""The same inside blocks."""
