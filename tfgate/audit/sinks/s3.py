"""A bucket that speaks S3 as a sink: one object a batch, locked against removal."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Any, Final

import boto3
import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tfgate.audit.sinks.interface import Batch, Secrets, Sink, SinkError

_UNKNOWN: Final = ("NotImplemented", "501", "InvalidArgument")
"""What services answer that know no condition."""


class Bucket(msgspec.Struct, frozen=True):
    """Where objects go."""

    name: str
    prefix: str = ""
    lock_days: int | None = None
    lock_mode: str = "COMPLIANCE"


class Access(msgspec.Struct, frozen=True):
    """How the bucket is reached; what is ``None`` comes from AWS's own files and variables."""

    seconds: float
    region: str | None = None
    endpoint: str | None = None
    profile: str | None = None
    access_key: str | None = None
    secret_key: str | None = None
    ca_file: str | None = None


class S3Sink(Sink):
    """Puts each batch as one object of JSON Lines, named by what is in it."""

    steady = True

    def __init__(
        self,
        bucket: Bucket,
        access: Access,
        secrets: Secrets,
        *,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.timezone.utc),
    ) -> None:
        self._bucket = bucket
        self._secrets = secrets
        self._now = now
        try:
            self._client = _client(access)
        except (BotoCoreError, ValueError) as error:
            raise SinkError(f"S3 cannot be used: {secrets.hide(str(error))}") from None

    def send(self, batch: Batch) -> None:
        """Put it, unless an object of this name with this content is there."""
        try:
            self._put(key_of(self._bucket, batch), batch)
        except ClientError as error:
            raise self._refused(error) from None
        except BotoCoreError as error:
            raise SinkError(f"S3 cannot be used: {self._secrets.hide(str(error))}") from None

    def close(self) -> None:
        """Let the connection go."""
        self._client.close()

    def _put(self, key: str, batch: Batch) -> None:
        what = self._object(key, batch)
        try:
            self._client.put_object(**what, IfNoneMatch="*")
        except ClientError as error:
            if _code(error) in _UNKNOWN:
                self._client.put_object(**what)
            elif _code(error) in ("PreconditionFailed", "412"):
                self._settle(what)
            else:
                raise

    def _settle(self, what: dict[str, Any]) -> None:
        """Look whether the object that is there is this one.

        Names hold a hash of the content: what has the name and is something else was put there by
        somebody. Whoever may not look puts it again: a lock keeps both versions.
        """
        try:
            found = self._client.head_object(
                Bucket=what["Bucket"], Key=what["Key"], ChecksumMode="ENABLED"
            )
        except ClientError as error:
            if _code(error) not in ("403", "AccessDenied"):
                raise
            self._client.put_object(**what)
            return
        if found.get("ChecksumSHA256") != what["ChecksumSHA256"]:
            raise SinkError(
                f"The bucket {self._bucket.name} has an object {what['Key']} that is not what "
                "tfgate puts there.",
                hint="Find out who put it there, and move it away.",
            )

    def _object(self, key: str, batch: Batch) -> dict[str, Any]:
        body = batch.lines
        what: dict[str, Any] = {
            "Bucket": self._bucket.name,
            "Key": key,
            "Body": body,
            "ContentType": "application/x-ndjson",
            "ChecksumAlgorithm": "SHA256",
            "ChecksumSHA256": base64.b64encode(hashlib.sha256(body).digest()).decode("ascii"),
        }
        if self._bucket.lock_days is not None:
            until = self._now() + dt.timedelta(days=self._bucket.lock_days)
            what["ObjectLockMode"] = self._bucket.lock_mode
            what["ObjectLockRetainUntilDate"] = until
        return what

    def _refused(self, error: ClientError) -> SinkError:
        code, status = _code(error), error.response.get("ResponseMetadata", {})
        message = self._secrets.hide(str(error.response.get("Error", {}).get("Message") or ""))
        return SinkError(
            f"S3 refused ({code}): {message}" if message else f"S3 refused ({code}).",
            too_large=code == "EntityTooLarge" or status.get("HTTPStatusCode") == 413,
        )


def key_of(bucket: Bucket, batch: Batch) -> str:
    """Name the object of a batch: the chain, then the numbers in it, which sort as they count."""
    first, last = f"{batch.first:012d}", f"{batch.last.seq:012d}"
    return f"{bucket.prefix}{batch.chain[:16]}/{first}-{last}-{batch.last.hash[:16]}.jsonl"


def _client(access: Access) -> Any:
    session = boto3.session.Session(
        aws_access_key_id=access.access_key,
        aws_secret_access_key=access.secret_key,
        region_name=access.region,
        profile_name=access.profile,
    )
    config = Config(
        connect_timeout=access.seconds,
        read_timeout=access.seconds,
        retries={"total_max_attempts": 1},  # the pauses are the delivery's
        user_agent_extra="tfgate",
    )
    return session.client("s3", endpoint_url=access.endpoint, verify=access.ca_file, config=config)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "?"))
