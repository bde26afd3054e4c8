"""The server's configuration: one TOML file, and ``TFGATE_SERVER_*`` over it."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import tomli

from tfgate.errors import ConfigError, Problem, UsageError
from tfgate.model.rule import Enforcement
from tfgate.opening import read_file
from tfgate.web.hosts import Allowed, read_origins

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG_VARIABLE: Final = "TFGATE_SERVER_CONFIG"
Positive = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class ServerTable(_Strict, frozen=True):
    """Where the server is."""

    listen: str = "127.0.0.1:8080"
    """``host:port``; port 0 takes a free one."""
    url: str = "http://127.0.0.1:8080"
    """How others reach it; links in results begin with it."""
    state: str = "/var/lib/tfgate"
    """Folder of its own: the embedded database, and by default the audit trail."""
    database: str | None = None
    """``postgresql://…`` where several servers share the work; else SQLite in ``state``."""
    tls_certificate: str | None = None
    tls_key: str | None = None


class HcpTable(_Strict, frozen=True):
    """Whom it talks to."""

    hosts: tuple[str, ...] = ("app.terraform.io",)
    """These get the access token."""
    download_hosts: tuple[str, ...] = ("archivist.terraform.io",)
    """Redirects may lead to these as well; they get no token."""
    networks: tuple[str, ...] = ()
    """Private networks (CIDR) in which these hosts may be."""
    ca: str | None = None
    """PEM file of the authorities to trust instead of the system's."""
    unsigned: bool = False
    """Take requests without a signature, where no key is configured."""


class LimitsTable(_Strict, frozen=True):
    """How much."""

    body_bytes: Positive = 262_144
    plan_bytes: Positive = 512 * 1024**2
    configuration_bytes: Positive = 256 * 1024**2
    """Unpacked."""
    tasks: Positive = 64
    """Tasks in work at once, most of them waiting for the network; the others wait in the queue."""
    judges: Positive = 2
    """Judgements at once: one core each."""
    judge_seconds: Positive = 300
    judge_memory_bytes: Positive = 4 * 1024**3
    """Address space of one judgement."""
    requests_a_minute: Positive = 1200
    """For each organisation, on each server."""
    http_seconds: Seconds = 20.0
    download_seconds: Seconds = 240.0
    fetch_minutes: Seconds = 8.0
    """How long a plan is asked for that is not there yet."""
    answer_minutes: Seconds = 55.0
    """How long an answer is tried; HCP Terraform gives up after 60."""
    heartbeat_seconds: Seconds = 60.0
    outcomes: Positive = 500
    answer_bytes: Positive = 900_000
    stop_seconds: Positive = 25


class PagesTable(_Strict, frozen=True):
    """What can be looked at afterwards."""

    link_hours: Positive = 24 * 7
    keep_days: Positive = 30
    """Decisions (not audit records) older than this leave the server's database."""


class PolicyTable(_Strict, frozen=True):
    """What holds for some workspaces: the first table that fits."""

    config: str
    """A ``tfgate.toml``."""
    organization: str = "*"
    project: str = "*"
    workspace: str = "*"
    rulesets: tuple[str, ...] | None = None
    """Instead of those of the file."""
    source_rulesets: tuple[str, ...] = ("tfgate:source",)
    """Beside these, before there is a plan."""
    levels: dict[str, Enforcement] = {}
    """Over those of the file."""
    params: dict[str, dict[str, Any]] = {}
    approvals: tuple[str, ...] = ()
    """Folders with signed approvals."""


class Settings(_Strict, frozen=True):
    """The whole file."""

    server: ServerTable = ServerTable()
    hcp: HcpTable = HcpTable()
    limits: LimitsTable = LimitsTable()
    pages: PagesTable = PagesTable()
    policy: tuple[PolicyTable, ...] = ()
    folder: str = "."
    """What relative paths begin at; not in the file."""

    def path(self, text: str) -> Path:
        """Make a written path absolute."""
        return Path(self.folder, text)

    def allowed(self) -> Allowed:
        """Give whom the server may talk to. Raises ``UsageError``."""
        try:
            networks = [ipaddress.ip_network(text) for text in self.hcp.networks]
        except ValueError:
            raise UsageError("hcp.networks: not a network such as 10.0.0.0/8.") from None
        return Allowed(
            read_origins(self.hcp.hosts, "hcp.hosts"),
            read_origins(self.hcp.download_hosts, "hcp.download_hosts"),
            networks,
        )

    @property
    def address(self) -> tuple[str, int]:
        """Give host and port to listen at. Raises ``UsageError``."""
        host, colon, port = self.server.listen.rpartition(":")
        is_number = port.isascii() and port.isdecimal() and len(port) <= 5
        if not (colon and is_number) or int(port) > 65535:
            raise UsageError("server.listen is not HOST:PORT.")
        return host.strip("[]"), int(port)


def load_settings(path: Path, env: Mapping[str, str]) -> Settings:
    """Read the file, and the environment over it. Raises ``ConfigError``."""
    shown = str(path)
    try:
        table = tomli.loads(read_file(path).decode("utf-8"))
    except OSError as error:
        raise _wrong(shown, f"the file cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # of syntax, text, digits; of nesting
        raise _wrong(shown, f"the file is not TOML: {error}") from None
    if "folder" in table:
        raise _wrong(shown, "unknown key: folder")
    for name, key, value in _from_environment(env):
        entries = table.setdefault(name, {})
        if isinstance(entries, dict):
            entries[key] = value
    table["folder"] = str(path.absolute().parent)
    try:
        settings = msgspec.convert(table, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise _wrong(shown, str(error)) from None
    if not settings.policy:
        raise _wrong(shown, "there is no [[policy]] table, so nothing could be judged")
    return settings


_TABLES: Mapping[str, type[_Strict]] = {
    "server": ServerTable,
    "hcp": HcpTable,
    "limits": LimitsTable,
    "pages": PagesTable,
}


def _from_environment(env: Mapping[str, str]) -> list[tuple[str, str, Any]]:
    """Give table, key and value of each ``TFGATE_SERVER_<KEY>`` or ``…_<TABLE>_<KEY>``."""
    found: list[tuple[str, str, Any]] = []
    for table, kind in _TABLES.items():
        prefix = "TFGATE_SERVER_" if table == "server" else f"TFGATE_SERVER_{table.upper()}_"
        for field in msgspec.structs.fields(kind):
            value: Any = env.get(prefix + field.name.upper())
            if value is not None:
                many = field.name in ("hosts", "download_hosts", "networks")
                value = value.replace(",", " ").split() if many else value
                found.append((table, field.name, value))
    return found


def _wrong(file: str, message: str) -> ConfigError:
    return ConfigError([Problem(file, message)])
