"""The server's configuration: one TOML file, and ``TFGATE_SERVER_*`` over it."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import msgspec
import tomli

from tfgate.engine.functions import rule_functions
from tfgate.errors import ConfigError, Problem, TfgateError, UsageError
from tfgate.gate.absent import refuse_absent
from tfgate.model.rule import Enforcement
from tfgate.model.text import glob_matches
from tfgate.opening import read_file
from tfgate.ruleset import From, Origin, load_gate_config
from tfgate.ruleset.config import Source
from tfgate.ruleset.effective import Effective, load_rulesets, resolve, sources_for
from tfgate.ruleset.settings import Value
from tfgate.server.approval_tables import ApprovalsTable, Positive, Strict
from tfgate.server.peers import Allowed, read_origins

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tfgate.ruleset import GateConfig
    from tfgate.ruleset.ruleset import Ruleset


CONFIG_VARIABLE: Final = "TFGATE_SERVER_CONFIG"
Seconds = Annotated[float, msgspec.Meta(gt=0)]


class ServerTable(Strict, frozen=True):
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


class HcpTable(Strict, frozen=True):
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


class LimitsTable(Strict, frozen=True):
    """How much."""

    body_bytes: Positive = 262_144
    plan_bytes: Positive = 512 * 1024**2
    configuration_bytes: Positive = 256 * 1024**2
    """Unpacked."""
    tasks: Positive = 64
    """Tasks in work at once, most of them waiting for the network; the others wait in the queue."""
    judges: Positive = 2
    """Evaluations at once: one core each."""
    judge_seconds: Positive = 300
    judge_memory_bytes: Positive = 4 * 1024**3
    """Address space of one evaluation."""
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


class PagesTable(Strict, frozen=True):
    """What can be looked at afterwards."""

    link_hours: Positive = 24 * 7
    keep_days: Positive = 30
    """Decisions (not audit records) older than this leave the server's database."""


class PolicyTable(Strict, frozen=True):
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
    levels: dict[str, Enforcement] = msgspec.field(default_factory=dict)
    """Over those of the file."""
    params: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    approvals: tuple[str, ...] = ()
    """Folders with signed approvals."""


class Settings(Strict, frozen=True):
    """The whole file."""

    server: ServerTable = ServerTable()
    hcp: HcpTable = HcpTable()
    limits: LimitsTable = LimitsTable()
    pages: PagesTable = PagesTable()
    policy: tuple[PolicyTable, ...] = ()
    """Without one there are no run tasks: the server is for approvals alone."""
    approvals: ApprovalsTable | None = None
    folder: str = "."
    """What relative paths begin at; not in the file."""

    def path(self, text: str) -> Path:
        """Make a written path absolute."""
        return Path(self.folder, text)

    def allowed(self) -> Allowed:
        """Return whom the server may talk to. Raises ``UsageError``."""
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
        """Return host and port to listen at. Raises ``UsageError``."""
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
    if not settings.policy and settings.approvals is None:
        raise _wrong(shown, "there is no [[policy]] table, so nothing could be evaluated")
    if settings.approvals is not None:
        settings.approvals.check()
    return settings


_TABLES: Mapping[str, type[Strict]] = {
    "server": ServerTable,
    "hcp": HcpTable,
    "limits": LimitsTable,
    "pages": PagesTable,
}


def _from_environment(env: Mapping[str, str]) -> list[tuple[str, str, Any]]:
    """Return table, key and value of each ``TFGATE_SERVER_<KEY>`` or ``…_<TABLE>_<KEY>``."""
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


_Key = tuple[str, Path]


class Policy(NamedTuple):
    """One table, with everything of it in memory."""

    table: PolicyTable
    config: GateConfig
    rulesets: Mapping[_Key, Ruleset]
    before_plan: tuple[Source, ...]

    def rules(self, config: GateConfig, workspace: str) -> Effective:
        """Return the rules in force in a workspace, from memory."""
        return self._resolve(config, workspace, ())

    def source_rules(self, config: GateConfig, workspace: str) -> Effective:
        """The same before there is a plan."""
        return self._resolve(config, workspace, self.before_plan)

    def _resolve(self, config: GateConfig, workspace: str, more: Sequence[Source]) -> Effective:
        wanted = {_key(source): None for source in (*sources_for(config, workspace), *more)}
        return resolve(config, [self.rulesets[key] for key in wanted], workspace)


def load_policies(settings: Settings, env: Mapping[str, str]) -> tuple[Policy, ...]:
    """Load every policy. Raises ``ConfigError`` with what is wrong in any of them."""
    policies: list[Policy] = []
    problems: list[Problem] = []
    for table in settings.policy:
        try:
            policies.append(_load(settings, table, env))
        except ConfigError as error:  # noqa: PERF203 - a handful, each to be tried
            problems += error.problems
        except TfgateError as error:
            problems.append(Problem(table.config, str(error)))
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    return tuple(policies)


def choose(
    tables: Sequence[PolicyTable], organization: str, project: str | None, workspace: str
) -> int | None:
    """Return the number of the first table that fits, ``None`` where none does.

    A project that the request does not name fits ``*`` alone.
    """
    for number, table in enumerate(tables):
        in_project = (
            table.project == "*" if project is None else glob_matches(table.project, project)
        )
        if (
            in_project
            and glob_matches(table.organization, organization)
            and glob_matches(table.workspace, workspace)
        ):
            return number
    return None


def _load(settings: Settings, table: PolicyTable, env: Mapping[str, str]) -> Policy:
    folder = settings.path(".")
    config = _with_table(
        load_gate_config(folder, env, config=str(settings.path(table.config))), table, folder
    )
    origin = Origin(From.FLAG, "source_rulesets")
    before_plan = tuple(Source(text, folder, origin) for text in table.source_rulesets)
    of_tables = [
        Source(text, config.folder, Origin(From.FILE, config.shown))
        for workspace in config.workspaces
        for text in workspace.rulesets
    ]
    sources = {_key(s): s for s in (*config.rulesets, *of_tables, *before_plan)}
    loaded = load_rulesets(
        sources.values(),
        functions=rule_functions(),
        shipped_examples=False,
        remote=lambda: config.remote,
    )
    refuse_absent(loaded, config.gate.allow, env)
    # With the data files that the configuration names: from now on they are part of the rulesets.
    rulesets = dict(zip(sources, resolve(config, loaded, "").rulesets, strict=True))
    approvals = tuple(str(settings.path(text)) for text in table.approvals)
    table = msgspec.structs.replace(table, approvals=approvals)
    return Policy(table, msgspec.structs.replace(config, data={}), rulesets, before_plan)


def _with_table(config: GateConfig, table: PolicyTable, folder: Path) -> GateConfig:
    values = dict(config.values)
    if table.rulesets is not None:
        origin = Origin(From.FLAG, "policy.rulesets")
        values["gate.rulesets"] = Value(list(table.rulesets), origin, folder)
    params = {
        name: {**config.params.get(name, {}), **table.params.get(name, {})}
        for name in (*config.params, *table.params)
    }
    return msgspec.structs.replace(
        config, values=values, levels={**config.levels, **table.levels}, params=params
    )


def _key(source: Source) -> _Key:
    """Shipped rulesets are the same from everywhere."""
    return (source.text, Path("/") if source.text.startswith("tfgate:") else source.base)
