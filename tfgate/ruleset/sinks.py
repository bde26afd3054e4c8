"""The ``[[sinks]]`` tables: where records go beside the trail."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from tfgate.errors import Problem
from tfgate.model import Frozen
from tfgate.ruleset.problems import show_name, suggest
from tfgate.ruleset.strict import Boolean, Choice, Integer, Key, Table, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tfgate.ruleset.files import TomlFile
    from tfgate.ruleset.problems import Problems
    from tfgate.ruleset.settings import Value

_LINE: Final = Text(most=1_000, one_line=True)
_VARIABLE: Final = Text(
    "a variable whose name begins with TFGATE_SINK_", r"TFGATE_SINK_[A-Z0-9_]{1,100}"
)
# Not any variable: a configuration that names a sink of its own must not be able to send it the
# secrets of others.


class SinkType(str, Enum):
    """What kind of place it is."""

    STDOUT = "stdout"
    STDERR = "stderr"
    HTTP = "http"
    S3 = "s3"
    POSTGRES = "postgres"
    OTEL = "otel"

    def __str__(self) -> str:
        return self.value


class LockMode(str, Enum):
    """How S3 keeps an object from being removed."""

    COMPLIANCE = "compliance"
    """By nobody, until its time is over."""
    GOVERNANCE = "governance"
    """By those who are allowed to."""

    def __str__(self) -> str:
        return self.value


_KEYS: Final = {
    "name": Key(
        Text("a name of letters, digits, _ and -", r"[A-Za-z_][A-Za-z0-9_-]{0,49}"),
        "Its name. What it has is remembered by it.",
        required=True,
        default="",
    ),
    "type": Key(
        Choice(SinkType, {"otlp": "otel", "postgresql": "postgres", "https": "http"}),
        "What kind of place it is.",
        required=True,
    ),
    "url": Key(_LINE, "Address that records are sent to (http, otel)."),
    "token_env": Key(
        _VARIABLE, "Variable that holds a token, sent as Authorization: Bearer (http, otel)."
    ),
    "token_header": Key(
        Text("a header", r"[A-Za-z][A-Za-z0-9-]{0,60}"),
        "Header that the token is sent in, as it is, in the place of Authorization (http, otel).",
    ),
    "secret_env": Key(
        _VARIABLE, "Variable that holds the secret that requests are signed with (http)."
    ),
    "ca_file": Key(
        _LINE, "PEM file of the authorities that vouch for the peer (all but stdout, stderr)."
    ),
    "plain_http": Key(
        Boolean(), "Whether an address without TLS may be another machine's (http, otel, s3)."
    ),
    "dsn_env": Key(
        _VARIABLE, "Variable that holds the connection string of the database (postgres)."
    ),
    "table": Key(
        Text("a table, as in audit.records", r"[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?"),
        "Table that records go to (postgres).",
    ),
    "bucket": Key(Text("a bucket", r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"), "Bucket (s3)."),
    "prefix": Key(
        Text("a prefix of keys", r"[A-Za-z0-9!_.*'()/-]{1,500}"),
        "What the keys of objects begin with (s3).",
    ),
    "region": Key(Text("a region", r"[a-z0-9-]{1,40}"), "Region of the bucket (s3)."),
    "endpoint": Key(_LINE, "Address of another service that speaks S3 (s3)."),
    "profile": Key(
        Text("a profile", r"[A-Za-z0-9_.@:+/-]{1,100}"),
        "Profile of AWS's configuration files (s3).",
    ),
    "access_key_env": Key(_VARIABLE, "Variable that holds the id of an access key (s3)."),
    "secret_key_env": Key(_VARIABLE, "Variable that holds the access key's secret (s3)."),
    "lock_days": Key(Integer(1, 36_500), "How many days an object is locked against removal (s3)."),
    "lock_mode": Key(Choice(LockMode), "How it is locked: compliance or governance (s3)."),
    "timeout_seconds": Key(
        Integer(1, 300), "How long one batch may take, from begin to end.", default=10
    ),
    "batch_records": Key(
        Integer(1, 10_000), "How many records are sent at once, at most.", default=500
    ),
}

_EVERY: Final = ("name", "type", "timeout_seconds", "batch_records")
_NEEDS: Final[Mapping[SinkType, Sequence[str]]] = {
    SinkType.STDOUT: (),
    SinkType.STDERR: (),
    SinkType.HTTP: ("url",),
    SinkType.S3: ("bucket",),
    SinkType.POSTGRES: ("dsn_env",),
    SinkType.OTEL: ("url",),
}
_MAY_HAVE: Final[Mapping[SinkType, Sequence[str]]] = {
    SinkType.STDOUT: (),
    SinkType.STDERR: (),
    SinkType.HTTP: ("token_env", "token_header", "secret_env", "ca_file", "plain_http"),
    SinkType.S3: (
        "prefix",
        "region",
        "endpoint",
        "profile",
        "access_key_env",
        "secret_key_env",
        "lock_days",
        "lock_mode",
        "ca_file",
        "plain_http",
    ),
    SinkType.POSTGRES: ("table", "ca_file"),
    SinkType.OTEL: ("token_env", "token_header", "ca_file", "plain_http"),
}


def _type_rules() -> tuple[dict[str, Any], ...]:
    """Return the JSON Schema of which keys go with which type."""
    return tuple(
        {
            "if": {"properties": {"type": {"const": kind.value}}, "required": ["type"]},
            "then": {
                "required": list(_NEEDS[kind]),
                "properties": {key: False for key in _KEYS if key not in _known(kind)},
            },
        }
        for kind in SinkType
    )


def _known(kind: SinkType) -> Sequence[str]:
    return (*_EVERY, *_NEEDS[kind], *_MAY_HAVE[kind])


SINK: Final = Table(
    "a sink",
    _KEYS,
    rules=_type_rules(),
    retired={
        "token": "a secret never stands in the file: name a variable with token_env",
        "secret": "a secret never stands in the file: name a variable with secret_env",
        "password": "a secret never stands in the file: name a variable with dsn_env",
        "dsn": "a secret never stands in the file: name a variable with dsn_env",
    },
)


class SinkSpec(Frozen, frozen=True):
    """One sink, as configured."""

    name: str
    type: SinkType
    folder: Path
    """What relative paths begin at."""
    url: str | None = None
    token_env: str | None = None
    token_header: str | None = None
    secret_env: str | None = None
    ca_file: str | None = None
    plain_http: bool | None = None
    dsn_env: str | None = None
    table: str | None = None
    bucket: str | None = None
    prefix: str | None = None
    region: str | None = None
    endpoint: str | None = None
    profile: str | None = None
    access_key_env: str | None = None
    secret_key_env: str | None = None
    lock_days: int | None = None
    lock_mode: LockMode | None = None
    timeout_seconds: int = 10
    batch_records: int = 500


def read_sinks(
    file: TomlFile | None,
    read: Mapping[str, Any],
    folder: Path,
    required: Value,
    problems: list[Problem],
) -> tuple[SinkSpec, ...]:
    """Return the sinks; mistakes of them, and a required one that is not there, are reported.

    ``required`` is the value of ``audit.require_sink``.
    """
    sinks: tuple[SinkSpec, ...] = ()
    if file is not None:
        found = file.problems()
        sinks = _build(read.get("sinks", ()), folder, found)
        problems += found.done()
    if required.value is not None and (wrong := _not_required(required.value, sinks)):
        problems.append(Problem(required.origin.where, wrong, "audit.require_sink"))
    return sinks


def _not_required(name: str, sinks: Sequence[SinkSpec]) -> str | None:
    """Say why no sink of that name can be required, if that is so."""
    types = {sink.name: sink.type for sink in sinks}
    if name not in types:
        return f"there is no sink {show_name(name)} in [[sinks]]{suggest(name, types)}"
    if types[name] in (SinkType.STDOUT, SinkType.STDERR):
        return f"the sink {name} cannot be required: nobody says that what it got is kept"
    return None


def _build(
    tables: Sequence[Mapping[str, Any]], folder: Path, found: Problems
) -> tuple[SinkSpec, ...]:
    names: set[str] = set()
    for number, table in enumerate(tables):
        at = ("sinks", number)
        if table["name"] in names:
            found.add(f"there are two sinks {show_name(table['name'])}", (*at, "name"))
        names.add(table["name"])
        for key, mistake in _mistakes(table):
            found.add(mistake, (*at, key) if key else at)
    return tuple(SinkSpec(folder=folder, **table) for table in tables if table["type"])


def _mistakes(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Return each mistake with the key it is about."""
    kind = table["type"]
    if kind is None:
        return  # that was reported
    for key in _NEEDS[kind]:
        if table[key] is None:
            yield "", f"a sink of type {kind} needs the key {key}"
    known = _known(kind)
    for key, value in table.items():
        if value is not None and key not in known:
            yield key, f"a sink of type {kind} has no key {key} (it has: {', '.join(known)})"
    for key in ("url", "endpoint"):
        if table[key] is not None and (wrong := _wrong_address(table[key], table["plain_http"])):
            yield key, wrong
    for key, other, wrong in _BESIDE:
        if table[key] is not None and table[other] is None:
            yield key, wrong


_BESIDE: Final = (
    ("lock_mode", "lock_days", "says how objects are locked, and lock_days does not say how long"),
    ("token_header", "token_env", "names a header, and token_env no token for it"),
    ("access_key_env", "secret_key_env", "names a key's id, and secret_key_env not its secret"),
    ("secret_key_env", "access_key_env", "names a key's secret, and access_key_env not its id"),
)
"""Keys that need another one beside them."""


def _wrong_address(url: str, plain: bool | None) -> str | None:
    wrong = "is not an address such as https://logs.acme.example/audit"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return wrong
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.fragment:
        return wrong
    if parts.username is not None or parts.password is not None:
        return "has a name or a password in it: a secret never stands in the file"
    here = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme == "http" and not here and not plain:
        return "has no TLS: write https, or set plain_http = true where the network is trusted"
    return None
