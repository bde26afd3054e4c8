"""A machine of a test's own: Terraform without this one's settings, and a cloud on 127.0.0.1."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FAKE_AWS = {
    "AWS_ACCESS_KEY_ID": "mock",
    "AWS_SECRET_ACCESS_KEY": "mock",
    "AWS_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}

AWS_HEAD = """\
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}
provider "aws" {
  region                      = "eu-west-1"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_requesting_account_id  = true
}
"""
"""What a configuration of AWS resources begins with, for the cloud of `moto_server`."""


def terraform_env(home: Path, *, mirror: str | None = None) -> dict[str, str]:
    """Return an environment in which Terraform reads no settings but those written to ``home``.

    With ``mirror`` (a directory laid out as a ``filesystem_mirror``) providers come from there
    alone; without it there is nothing to install from but what is built in. Nothing is asked of
    the network. Unlike ``dev_overrides`` this leaves ``init`` and the lock file as they really
    are.
    """
    installation = "" if mirror is None else f'filesystem_mirror {{\n    path = "{mirror}"\n  }}'
    config = home / "terraformrc"
    config.write_text(
        f"disable_checkpoint = true\nprovider_installation {{\n  {installation}\n}}\n"
    )
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TF_CLI_CONFIG_FILE": str(config),
        "TF_IN_AUTOMATION": "1",
        **FAKE_AWS,
    }


@contextlib.contextmanager
def moto_server(*, seed: int = 42) -> Iterator[str]:
    """Run moto's server and give its URL, for ``AWS_ENDPOINT_URL``.

    The same ``seed`` and the same calls give the same identifiers.
    """
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "MOTO_DISABLE_GLOBAL_CORS": "1"},
    ) as server:
        try:
            _wait_for(f"{url}/moto-api/seed?a={seed}", server)
            yield url
        finally:
            server.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, server: subprocess.Popen[bytes], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    request = urllib.request.Request(url, method="POST")
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(request, timeout=10).close()
            return
        time.sleep(0.1)
    raise RuntimeError("moto's server did not start")


def locked_bucket(cloud: str, name: str) -> Any:
    """Make a bucket whose objects can be locked; give the client that made it."""
    import boto3  # of an extra

    client = boto3.client(
        "s3", region_name="us-east-1", endpoint_url=cloud,
        aws_access_key_id="x", aws_secret_access_key="x",
    )  # fmt: skip
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return client
