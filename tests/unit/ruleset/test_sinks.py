"""``[[sinks]]``: every key arrives, and every mistake is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jsonschema
import pytest
import tomli

from tfgate.errors import ConfigError
from tfgate.ruleset import load_gate_config
from tfgate.ruleset.schema import schemas
from tfgate.ruleset.sinks import LockMode, SinkType

if TYPE_CHECKING:
    from pathlib import Path

ALL = """
[audit]
require_sink = "vault"

[[sinks]]
name = "console"
type = "stdout"

[[sinks]]
name = "siem"
type = "http"
url = "https://siem.acme.example/ingest?source=tfgate"
token_env = "TFGATE_SINK_SIEM_TOKEN"
secret_env = "TFGATE_SINK_SIEM_SECRET"
ca_file = "ca.pem"
timeout_seconds = 5
batch_records = 100

[[sinks]]
name = "vault"
type = "s3"
bucket = "acme-audit"
prefix = "tfgate/"
region = "eu-central-1"
lock_days = 400
lock_mode = "compliance"

[[sinks]]
name = "db"
type = "postgres"
dsn_env = "TFGATE_SINK_DSN"
table = "audit.records"

[[sinks]]
name = "collector"
type = "otel"
url = "http://localhost:4318/v1/logs"
"""


def sink(**keys: object) -> str:
    """A configuration with one sink."""
    rows = "".join(f"{name} = {_toml(value)}\n" for name, value in keys.items())
    return f"[[sinks]]\n{rows}"


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, (bool, int)) else f'"{value}"'


def test_every_key_arrives(tmp_path: Path) -> None:
    """The file and the schema accept a sink of every type."""
    (tmp_path / "tfgate.toml").write_text(ALL)
    config = load_gate_config(tmp_path, {})
    assert [spec.type for spec in config.sinks] == [
        SinkType.STDOUT, SinkType.HTTP, SinkType.S3, SinkType.POSTGRES, SinkType.OTEL,
    ]  # fmt: skip
    siem, vault = config.sinks[1:3]
    assert (siem.url, siem.timeout_seconds) == ("https://siem.acme.example/ingest?source=tfgate", 5)
    assert (siem.folder, siem.batch_records) == (tmp_path, 100)
    assert (vault.lock_days, vault.lock_mode) == (400, LockMode.COMPLIANCE)
    assert config.audit.require_sink == "vault"
    assert config.audit.sink_seconds == 2
    assert jsonschema.Draft202012Validator(schemas()["tfgate"]).is_valid(tomli.loads(ALL))


HTTP = {"name": "x", "type": "http", "url": "https://a.example/"}
MISTAKES = [
    (sink(type="stdout"), "a sink needs the key name"),
    (sink(name="x"), "a sink needs the key type"),
    (sink(name="../x", type="stdout"), "is not a name of letters"),
    (sink(name="x", type="otlp"), 'did you mean "otel"?'),
    (sink(name="x", type="http"), "needs the key url"),
    (sink(name="x", type="stdout", url="https://a.example/"), "has no key url"),
    (sink(**{**HTTP, "url": "ftp://a.example"}), "is not an address"),
    (sink(**{**HTTP, "url": "https://"}), "is not an address"),
    (sink(**{**HTTP, "url": "https://[::1"}), "is not an address"),
    (sink(**{**HTTP, "url": "https://a:99999/"}), "is not an address"),
    (sink(**{**HTTP, "url": "https://me:pw@a.example/"}), "a secret never stands in the file"),
    (sink(**{**HTTP, "url": "http://a.example/"}), "has no TLS"),
    (sink(**HTTP, token="t"), "a secret never stands in the file"),
    (sink(**HTTP, token_env="AWS_SECRET_ACCESS_KEY"), "begins with TFGATE_SINK_"),
    (sink(name="x", type="s3", bucket="b-1", lock_mode="governance"), "lock_days does not say"),
    (sink(name="x", type="postgres", dsn_env="TFGATE_SINK_A", table="a; drop"), "is not a table"),
    (sink(**HTTP) + sink(**HTTP), "there are two sinks x"),
    ('[audit]\nrequire_sink = "y"\n' + sink(**HTTP), "there is no sink y in [[sinks]]"),
    ('[audit]\nrequire_sink = "x"\n' + sink(name="x", type="stderr"), "cannot be required"),
    ('[audit]\nrequire_sink = "y"\n', "there is no sink y in [[sinks]]"),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_every_mistake_is_named(tmp_path: Path, text: str, message: str) -> None:
    """The message has the key or the line, and what to do."""
    (tmp_path / "tfgate.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_gate_config(tmp_path, {})
    assert message in str(caught.value).replace('\\"', '"')


def test_plain_http_can_be_allowed(tmp_path: Path) -> None:
    """Where the network is trusted, a collector may be without TLS."""
    text = sink(**{**HTTP, "url": "http://collector:4318/v1/logs"}, plain_http=True)
    (tmp_path / "tfgate.toml").write_text(text)
    assert load_gate_config(tmp_path, {}).sinks[0].plain_http


def test_a_sink_required_by_the_environment_must_be_there(tmp_path: Path) -> None:
    """The variable is named in the message."""
    (tmp_path / "tfgate.toml").write_text(sink(**HTTP))
    with pytest.raises(ConfigError, match=r"TFGATE_AUDIT_REQUIRE_SINK.*no sink z"):
        load_gate_config(tmp_path, {"TFGATE_AUDIT_REQUIRE_SINK": "z"})


@pytest.mark.parametrize("text", [sink(name="x", type="http"), sink(**HTTP, bucket="b-1")])
def test_the_schema_knows_which_keys_go_together(text: str) -> None:
    """An editor marks what the reader will refuse."""
    assert not jsonschema.Draft202012Validator(schemas()["tfgate"]).is_valid(tomli.loads(text))
