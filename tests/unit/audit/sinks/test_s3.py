"""The S3 sink, against moto's server: objects are named by their content, and locked."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.machine import moto_server
from tests.support.parts import require_part
from tests.support.sinks import Delivering
from tfgate.audit.sinks.deliver import State
from tfgate.audit.sinks.make import make_sink
from tfgate.ruleset.sinks import LockMode, SinkSpec, SinkType

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENV = {"TFGATE_SINK_ID": "AKIAEXAMPLE", "TFGATE_SINK_KEY": "a-very-secret-key"}
BUCKET = "acme-audit"


@pytest.fixture(scope="module")
def cloud() -> Iterator[str]:
    """An S3 on 127.0.0.1."""
    require_part("moto")
    with moto_server() as url:
        yield url


@pytest.fixture
def bucket(cloud: str) -> Iterator[Any]:
    """A client of it, with an empty bucket whose objects can be locked."""
    client = boto3.client(
        "s3",
        region_name="eu-central-1",
        endpoint_url=cloud,
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}),
    )
    client.create_bucket(
        Bucket=BUCKET,
        ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
    )
    yield client
    for version in client.list_object_versions(Bucket=BUCKET).get("Versions", ()):
        client.delete_object(
            Bucket=BUCKET,
            Key=version["Key"],
            VersionId=version["VersionId"],
            BypassGovernanceRetention=True,
        )
    client.delete_bucket(Bucket=BUCKET)
    client.close()


@pytest.fixture
def delivering(tmp_path: Path) -> Delivering:
    """A trail of five records."""
    found = Delivering(tmp_path)
    found.write(5)
    return found


def spec(url: str, tmp_path: Path, **more: Any) -> SinkSpec:
    """The sink."""
    return SinkSpec(
        **{
            "name": "vault",
            "type": SinkType.S3,
            "folder": tmp_path,
            "bucket": BUCKET,
            "prefix": "tfgate/",
            "region": "eu-central-1",
            "endpoint": url,
            "access_key_env": "TFGATE_SINK_ID",
            "secret_key_env": "TFGATE_SINK_KEY",
            "lock_days": 400,
            "lock_mode": LockMode.GOVERNANCE,
            "timeout_seconds": 10,
            **more,
        }
    )


def keys(client: Any) -> list[str]:
    """The names of the objects."""
    listed = client.list_objects_v2(Bucket=BUCKET).get("Contents", ())
    return [str(each["Key"]) for each in listed]


def test_batches_become_locked_objects(
    cloud: str, bucket: Any, delivering: Delivering, tmp_path: Path
) -> None:
    """Named by chain, numbers and hash; byte for byte the lines; not to be removed."""
    sink = make_sink(spec(cloud, tmp_path), ENV)
    assert delivering.deliver(sink, records=3).state is State.DONE
    first, second = keys(bucket)
    chain, _, name = first.removeprefix("tfgate/").partition("/")
    assert delivering.file.load().chain is not None
    assert str(delivering.file.load().chain).startswith(chain)
    assert name.startswith("000000000000-000000000002-")
    assert second.split("/")[-1].startswith("000000000003-000000000004-")
    bodies = [bucket.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in (first, second)]
    assert b"".join(bodies) == delivering.log.read_bytes()
    head = bucket.head_object(Bucket=BUCKET, Key=first)
    assert head["ObjectLockMode"] == "GOVERNANCE"
    until = head["ObjectLockRetainUntilDate"] - dt.datetime.now(dt.timezone.utc)
    assert dt.timedelta(days=399) < until <= dt.timedelta(days=400)
    with pytest.raises(ClientError, match="AccessDenied"):
        bucket.delete_object(Bucket=BUCKET, Key=first, VersionId=head["VersionId"])


def test_a_batch_that_comes_again_makes_no_second_version(
    cloud: str, bucket: Any, delivering: Delivering, tmp_path: Path
) -> None:
    """The deliverer died after the object was put: the object is there, and is recognised."""
    sink = make_sink(spec(cloud, tmp_path), ENV)
    delivering.deliver(sink)
    delivering.file.path.unlink()
    assert delivering.deliver(sink).sent == 5
    versions = bucket.list_object_versions(Bucket=BUCKET)["Versions"]
    assert len(versions) == 1


def test_something_else_under_the_name_is_no_delivery(
    cloud: str, bucket: Any, delivering: Delivering, tmp_path: Path
) -> None:
    """Whoever may write to the bucket cannot make a record seem delivered."""
    sink = make_sink(spec(cloud, tmp_path), ENV)
    delivering.deliver(sink)
    (key,) = keys(bucket)
    bucket.put_object(Bucket=BUCKET, Key=key, Body=b"forged", ChecksumAlgorithm="SHA256")
    delivering.file.path.unlink()
    outcome = delivering.deliver(sink)
    assert outcome.state is State.FAILED
    assert "is not what tfgate puts there" in str(outcome.reason)


@pytest.mark.slow
def test_a_bucket_without_locks_is_refused_where_locks_are_asked_for(
    cloud: str, bucket: Any, delivering: Delivering, tmp_path: Path
) -> None:
    """Nothing lies there unlocked."""
    bucket.create_bucket(
        Bucket="plain", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    outcome = delivering.deliver(make_sink(spec(cloud, tmp_path, bucket="plain"), ENV))
    assert outcome.state is State.FAILED
    assert "S3 refused" in str(outcome.reason)
    assert bucket.list_objects_v2(Bucket="plain").get("Contents") is None
    unlocked = spec(cloud, tmp_path, bucket="plain", lock_days=None, lock_mode=None)
    assert delivering.deliver(make_sink(unlocked, ENV)).state is State.DONE


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"bucket": "nobody-has-it"}, "S3 refused (NoSuchBucket)"),
        ({"endpoint": "http://127.0.0.1:1"}, "S3 cannot be used: Could not connect"),
        ({"profile": "nobody"}, "profile"),
    ],
)
def test_what_fails_says_why(
    cloud: str, bucket: Any, delivering: Delivering, tmp_path: Path, change: dict[str, Any],
    reason: str,
) -> None:  # fmt: skip
    """In one sentence, without a secret."""
    from tfgate.audit.sinks.interface import SinkError

    try:
        found = delivering.deliver(make_sink(spec(cloud, tmp_path, **change), ENV)).reason
    except SinkError as error:
        found = str(error)
    assert reason in str(found)
    assert ENV["TFGATE_SINK_KEY"] not in str(found)
