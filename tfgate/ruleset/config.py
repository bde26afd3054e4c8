"""``tfgate.toml``: found, read strictly, and merged with environment and flags."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tfgate.errors import ConfigError, Problem
from tfgate.model import Frozen
from tfgate.model.text import glob_matches
from tfgate.ruleset.approval_tables import Approvals
from tfgate.ruleset.config_tables import (
    CONFIG,
    SETTINGS,
    Audit,
    Gate,
    Identity,
    Provenance,
    Receipts,
    build_waivers,
    read_waiver_file,
)
from tfgate.ruleset.files import Unreadable, read_toml
from tfgate.ruleset.problems import show_name, suggest
from tfgate.ruleset.settings import From, Origin, Value, place, read_environment, read_flags
from tfgate.ruleset.sinks import read_sinks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tfgate.model.decision import Waiver
    from tfgate.model.rule import Enforcement
    from tfgate.ruleset.config_tables import OnCommand
    from tfgate.ruleset.files import TomlFile
    from tfgate.ruleset.issuers import Issuer
    from tfgate.ruleset.remote.remote import Remote
    from tfgate.ruleset.sinks import SinkSpec

CONFIG_NAME = "tfgate.toml"
CONFIG_VARIABLE = "TFGATE_CONFIG"
REVIEWS = ("github", "gitlab")
"""Systems whose reviews can count as approvals."""


class Source(Frozen, frozen=True):
    """A ruleset in use, by what names it and where relative paths begin."""

    text: str
    """As configured: ``tfgate:core``, ``./policy``."""
    base: Path
    origin: Origin


class ConfigFile(Frozen, frozen=True):
    """A file that the configuration was read from, for records."""

    path: str
    """As a user would write it."""
    sha256: str


class WorkspaceTable(Frozen, frozen=True):
    """One ``[[workspace]]`` table."""

    match: str
    """Glob over the workspace's name."""
    levels: Mapping[str, Enforcement]
    params: Mapping[str, Mapping[str, Any]]
    rulesets: tuple[str, ...]
    require_verified_operator: bool | None = None


class ApprovalNeed(Frozen, frozen=True):
    """One ``[[approvals.needs]]`` table."""

    rules: tuple[str, ...]
    """Globs over rule ids."""
    workspaces: tuple[str, ...] = ("*",)
    required: int = 1
    roles: tuple[str, ...] = ()


class ReviewTable(Frozen, frozen=True):
    """``[approvals.github]`` or ``[approvals.gitlab]``."""

    url: str
    """``https://github.com``: names people's issuer as well."""
    repositories: tuple[str, ...]
    branches: tuple[str, ...] | None
    """Globs; ``None``: the repository's default branch."""
    teams: tuple[str, ...]
    code_owners: bool


class BreakGlass(Frozen, frozen=True):
    """``[approvals.break_glass]``."""

    approvers: tuple[str, ...]
    """Globs over principals, ``team:NAME`` and ``role:NAME``."""
    rules: tuple[str, ...]
    """Globs over rule ids."""
    max_hours: int


class GateConfig(Frozen, frozen=True):
    """The configuration in force, before it is known which workspace is evaluated."""

    file: TomlFile | None
    """``tfgate.toml``, where there is one."""
    folder: Path
    """What relative paths in the file are relative to."""
    values: Mapping[str, Value]
    """Setting name (``gate.evaluate``) → value and origin, every setting."""
    levels: Mapping[str, Enforcement] = {}
    """Globs over rule ids, in the file's order."""
    params: Mapping[str, Mapping[str, Any]] = {}
    """Ruleset id → parameter → value, not yet checked against the rulesets."""
    data: Mapping[str, Mapping[str, str] | str] = {}
    """Ruleset id → data name → path, relative to ``folder``; a path stands for every ruleset that
    declares its key as a name."""
    given_data: Mapping[str, Path] = {}
    """Data name → path, as given by flags: they win."""
    workspaces: tuple[WorkspaceTable, ...] = ()
    commands: Mapping[str, OnCommand] = {}
    """Command (``state rm``) → what happens to it, for those the file names."""
    approval_roles: Mapping[str, tuple[str, ...]] = {}
    """Role → globs over principals."""
    approval_needs: tuple[ApprovalNeed, ...] = ()
    reviews: Mapping[str, ReviewTable] = {}
    """``github``, ``gitlab`` → whose reviews there count as approvals."""
    break_glass: BreakGlass | None = None
    issuers: tuple[Issuer, ...] = ()
    """Whose tokens prove who runs the gate."""
    sinks: tuple[SinkSpec, ...] = ()
    """Where records go beside the trail."""
    waivers: tuple[Waiver, ...] = ()
    """Of the file and of every waiver file."""
    files: tuple[ConfigFile, ...] = ()
    """``tfgate.toml`` and the waiver files."""
    home: str | None = None
    environment: Mapping[str, str] = {}
    notes: list[str] = msgspec.field(default_factory=list)
    """What a person should know of how rulesets from git were found."""

    @property
    def shown(self) -> str:
        """Name of the file in messages."""
        return self.file.name if self.file is not None else CONFIG_NAME

    @property
    def rulesets(self) -> tuple[Source, ...]:
        """Rulesets of every workspace, in order."""
        value = self.values["gate.rulesets"]
        return tuple(Source(text, value.base, value.origin) for text in value.value)

    @property
    def gate(self) -> Gate:
        """``[gate]``: the values in force."""
        return Gate(self.values, self.home)

    @property
    def approvals(self) -> Approvals:
        """``[approvals]``: the values in force."""
        return Approvals(self.values, self.home)

    @property
    def identity(self) -> Identity:
        """``[identity]``: the values in force."""
        return Identity(self.values, self.home)

    def needs_proof(self, workspace: str) -> bool:
        """Whether it must be proven who asks for something in a workspace."""
        needed = self.gate.require_verified_operator
        for table in self.workspaces:
            if table.require_verified_operator is not None and glob_matches(table.match, workspace):
                needed = table.require_verified_operator
        return needed

    @property
    def receipts(self) -> Receipts:
        """``[receipts]``: the values in force."""
        return Receipts(self.values, self.home)

    @property
    def audit(self) -> Audit:
        """``[audit]``: the values in force."""
        return Audit(self.values, self.home)

    @property
    def provenance(self) -> Provenance:
        """``[provenance]``: the values in force."""
        return Provenance(self.values, self.home)

    @property
    def remote(self) -> Remote:
        """How rulesets in git are found: ``tfgate.lock`` stands beside ``tfgate.toml``."""
        # Late: it brings subprocess along, and few rulesets are in git.
        from tfgate.ruleset.remote.lock import LOCK_NAME
        from tfgate.ruleset.remote.remote import Remote

        return Remote(
            self.folder / LOCK_NAME,
            self.environment,
            signers=self.gate.ruleset_signers,
            locked=self.gate.locked,
            notes=self.notes,
        )

    def origin(self, name: str) -> Origin:
        """Say where a setting's value comes from, with the line in the file."""
        origin = self.values[name].origin
        if origin.layer is not From.FILE or self.file is None:
            return origin
        line = self.file.problems().line_of(tuple(name.split(".")))
        return Origin(From.FILE, f"{self.file.name}:{line}" if line else self.file.name)


def find_config(
    cwd: Path, environment: Mapping[str, str], flag: str | None = None
) -> tuple[Path, str] | None:
    """Find ``tfgate.toml``: named by the flag, by ``TFGATE_CONFIG``, or from ``cwd`` upwards.

    Returns its path and how to show it. Where it is named, nothing else is looked at: a named file
    that is missing is an error when it is read, never a reason to search.
    """
    named = flag or environment.get(CONFIG_VARIABLE)
    if named:
        return place(named, cwd, environment.get("HOME")), named
    for number, folder in enumerate((cwd, *cwd.parents)):
        path = folder / CONFIG_NAME
        # lexists: a dangling link is a broken configuration, not the absence of one.
        if os.path.lexists(path):
            return path, "/".join((*[".."] * number, CONFIG_NAME))
    return None


def load_gate_config(
    cwd: Path,
    environment: Mapping[str, str],
    *,
    config: str | None = None,
    flags: Mapping[str, Any] | None = None,
) -> GateConfig:
    """Read the configuration in force. Raises ``ConfigError`` with every mistake.

    ``config`` is the value of ``--config``; ``flags`` are other flags by setting name
    (``gate.evaluate``), ``None`` where not given.
    """
    problems: list[Problem] = []
    found = find_config(cwd, environment, config)
    folder, file, read = (cwd, None, None)
    if found is not None:
        path, shown = found
        folder = path.parent
        file, read = _read_file(path, shown, problems)
    values = {
        **_defaults(folder),
        **_of_file(file, read, folder),
        **read_environment(SETTINGS, environment, cwd, problems),
        **read_flags(SETTINGS, flags or {}, cwd, problems),
    }
    built = _build(file, read or {}, folder, values, environment.get("HOME"), problems)
    if problems:
        raise ConfigError(problems)
    return msgspec.structs.replace(built, environment=dict(environment))


def _read_file(
    path: Path, shown: str, problems: list[Problem]
) -> tuple[TomlFile | None, dict[str, Any] | None]:
    try:
        file = read_toml(path, shown)
    except Unreadable as error:
        problems.append(error.problem)
        return None, None
    found = file.problems()
    read = CONFIG.read(file.table, (), found)
    problems += found.done()
    return file, read


def _defaults(folder: Path) -> dict[str, Value]:
    origin = Origin(From.DEFAULT)
    return {setting.name: Value(setting.default, origin, folder) for setting in SETTINGS}


def _of_file(file: TomlFile | None, read: dict[str, Any] | None, folder: Path) -> dict[str, Value]:
    if file is None or read is None:
        return {}
    origin = Origin(From.FILE, file.name)
    return {
        setting.name: Value(read[setting.table][setting.key], origin, folder)
        for setting in SETTINGS
        if read[setting.table] and read[setting.table][setting.key] is not None
    }


def _build(
    file: TomlFile | None,
    read: Mapping[str, Any],
    folder: Path,
    values: Mapping[str, Value],
    home: str | None,
    problems: list[Problem],
) -> GateConfig:
    waivers: list[Waiver] = []
    if file is not None and read.get("waivers"):
        waivers += build_waivers(read["waivers"], file.name)
    files = [ConfigFile(file.name, file.sha256)] if file is not None else []
    listed = values["gate.waiver_files"]
    for name in listed.value:
        try:
            waiver_file, more = read_waiver_file(place(name, listed.base, home), name, problems)
        except Unreadable as error:
            problems.append(error.problem)
            continue
        waivers += more
        files.append(ConfigFile(name, waiver_file.sha256))
    approvals = read.get("approvals") or {}
    roles = approvals.get("roles", {})
    needs = tuple(ApprovalNeed(**table) for table in approvals.get("needs", ()))
    reviews = {name: ReviewTable(**approvals[name]) for name in REVIEWS if approvals.get(name)}
    glass = approvals.get("break_glass")
    if file is not None:
        problems += _unknown_roles(file, roles, needs)
        problems += _nobodys_reviews(file, reviews)
    issuers: tuple[Issuer, ...] = ()
    if file is not None and (tables := (read.get("identity") or {}).get("issuers")):
        from tfgate.ruleset.issuers import read_issuers  # few configurations have any

        name = values["identity.name"].value
        issuers = read_issuers(file, tables, folder, home, name, problems)
    sinks: tuple[SinkSpec, ...] = ()
    if read.get("sinks") or values["audit.require_sink"].value is not None:
        sinks = read_sinks(file, read, folder, values["audit.require_sink"], problems)
    return GateConfig(
        file=file,
        folder=folder,
        values=values,
        levels=read.get("levels", {}),
        params=read.get("params", {}),
        data=read.get("data", {}),
        commands={name: word for name, word in (read.get("commands") or {}).items() if word},
        workspaces=tuple(WorkspaceTable(**table) for table in read.get("workspace", ())),
        approval_roles=roles,
        approval_needs=needs,
        reviews=reviews,
        break_glass=None if glass is None else BreakGlass(**glass),
        issuers=issuers,
        sinks=sinks,
        waivers=tuple(waivers),
        files=tuple(files),
        home=home,
    )


def _unknown_roles(
    file: TomlFile, roles: Mapping[str, Any], needs: tuple[ApprovalNeed, ...]
) -> list[Problem]:
    """Report roles that nobody can have: what needs them could never be approved."""
    found = file.problems()
    for number, need in enumerate(needs):
        for role in need.roles:
            if role not in roles:
                near = suggest(role, roles)
                at = ("approvals", "needs", number, "roles")
                found.add(f"the role {show_name(role)} is not in [approvals.roles]{near}", at)
    return found.done()


def _nobodys_reviews(file: TomlFile, reviews: Mapping[str, ReviewTable]) -> list[Problem]:
    """Report tables of reviews that would count nobody's."""
    found = file.problems()
    for name, table in reviews.items():
        if not table.teams and not table.code_owners:
            found.add("counts nobody: it needs teams, or code_owners = true", ("approvals", name))
    return found.done()
