"""Write the files to begin with; what is there already stays as it is."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tfgate._version import __version__
from tfgate.command.output import write_out
from tfgate.errors import TfgateError, UsageError
from tfgate.opening import open_file
from tfgate.report.escape import console
from tfgate.terraform import detect_operator

if TYPE_CHECKING:
    from collections.abc import Iterator


class Place(str, Enum):
    """Where the gate runs."""

    LOCAL = "local"
    GITHUB = "github"
    GITLAB = "gitlab"
    AZURE = "azure"
    ATLANTIS = "atlantis"

    def __str__(self) -> str:
        return self.value


GITHUB = """\
# Judges the plan of every pull request. See docs/integrations/github.md of tfgate.
name: tfgate
on: pull_request

permissions:
  contents: read

jobs:
  plan:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - uses: hashicorp/setup-terraform@v3
        with:
          terraform_wrapper: false
      - run: terraform init -input=false
      - run: terraform plan -input=false -out=p.tfplan
      - uses: tfgate/tfgate@v{version}
        with:
          plan: p.tfplan
"""

GITLAB = """\
# Judges the plan of every merge request: include this file in .gitlab-ci.yml with
#   include:
#     - local: .gitlab/tfgate.yml
# Its needs: a job `plan` that leaves plan.json (terraform show -json p.tfplan > plan.json).

tfgate:
  stage: test
  image: python:3.13-slim
  needs: [plan]
  script:
    - python -m venv /tmp/tfgate
    - /tmp/tfgate/bin/pip install --quiet tfgate=={version}
    - >-
      /tmp/tfgate/bin/tfgate check --report text --report gitlab=gl-code-quality-report.json
      --report junit=tfgate-junit.xml plan.json
  artifacts:
    when: always
    reports:
      codequality: gl-code-quality-report.json
      junit: tfgate-junit.xml
"""

AZURE = """\
# Judges the plan of every change. See docs/integrations/azure.md of tfgate.
trigger: none
pool:
  vmImage: ubuntu-latest

steps:
  - script: |
      terraform init -input=false
      terraform plan -input=false -out=p.tfplan
    displayName: Plan
  - script: |
      python3 -m venv "$AGENT_TEMPDIRECTORY/tfgate"
      "$AGENT_TEMPDIRECTORY/tfgate/bin/pip" install --quiet tfgate=={version}
      "$AGENT_TEMPDIRECTORY/tfgate/bin/tfgate" check \\
        --report text --report junit=tfgate-junit.xml p.tfplan
    displayName: Judge the plan
  - task: PublishTestResults@2
    condition: succeededOrFailed()
    inputs:
      testResultsFormat: JUnit
      testResultsFiles: tfgate-junit.xml
"""

ATLANTIS = """\
# Server-side configuration of Atlantis (atlantis server --enable-policy-checks
# --repo-config=repos.yaml). `tfgate atlantis doctor --repos repos.yaml` checks it.
repos:
  - id: /.*/
    apply_requirements: [approved, mergeable, policies_passed]
    policy_check: true
    custom_policy_check: true
    workflow: tfgate

workflows:
  tfgate:
    policy_check:
      steps:
        - show
        - run: tfgate atlantis --config /etc/tfgate/tfgate.toml
    apply:
      steps:
        - run: tfgate atlantis apply --config /etc/tfgate/tfgate.toml

policies:
  owners:
    users: []                   # who may approve what tfgate denies
  sticky_policy_approvals: true
  policy_item_regex: "(?m)^FAIL.*"
  policy_sets:
    - name: tfgate
      path: /etc/tfgate
      source: local
      prevent_self_approve: true
"""

FILES = {
    Place.LOCAL: None,
    Place.GITHUB: (".github/workflows/tfgate.yml", GITHUB),
    Place.GITLAB: (".gitlab/tfgate.yml", GITLAB),
    Place.AZURE: ("azure-pipelines-tfgate.yml", AZURE),
    Place.ATLANTIS: ("repos.yaml", ATLANTIS),
}
"""File and text of each place; ``{version}`` is that of tfgate."""

NEXT = {
    Place.LOCAL: "terraform plan -out=p.tfplan && tfgate check p.tfplan",
    Place.GITHUB: "Commit, push, and open a pull request.",
    Place.GITLAB: "Include .gitlab/tfgate.yml in .gitlab-ci.yml, and commit.",
    Place.AZURE: "Make a pipeline of azure-pipelines-tfgate.yml, and require it.",
    Place.ATLANTIS: "Put tfgate.toml and policy/ into /etc/tfgate on the server, start it with "
    "--repo-config=repos.yaml, and run: tfgate atlantis doctor --repos repos.yaml",
}
"""What a person does then."""


CONFIG = """\
# Which rules judge the plans of this directory. `tfgate config` prints what is in force, and why;
# every key is described in docs/reference/configuration.md.

[gate]
rulesets = [{rulesets}]

# What is decided is on record in this file (default: in your home directory).
# [audit]
# log = "/var/lib/tfgate/audit.jsonl"

# The level of single rules: advisory, soft-mandatory, hard-mandatory.
# [levels]
# "CORE-DEL-*" = "hard-mandatory"
"""

RULESET = """\
[ruleset]
id = "{name}"
version = "0.1.0"
title = "Rules of {name}"
owners = ["{owner}"]

[params.most_deletions]
type = "number"
default = 10
description = "Deletions and replacements that one apply may make"
"""

RULE = """\
# One rule a file: its git log is its history. `tfgate rules test` runs the examples below.
id = "{prefix}-001"
title = "An apply deletes little"
severity = "high"
enforcement = "soft-mandatory"
scope = "plan"
deny = "sum([counts.delete, counts.replace]) > param('most_deletions')"
message = "{{counts.delete}} deletions and {{counts.replace}} replacements"
remediation = "Apply in parts, or raise most_deletions in tfgate.toml with a reason."

[[tests]]
name = "eleven deletions fail"
changes = [{{ type = "aws_instance", actions = ["delete"], before = {{ ami = "a" }}, repeat = 11 }}]
expect = "fail"
message = "11 deletions and 0 replacements"

[[tests]]
name = "one deletion passes"
changes = [{{ type = "aws_instance", actions = ["delete"], before = {{ ami = "a" }} }}]
expect = "pass"
"""

SERVER_CONFIG = """\
# Configuration of the gate on an Atlantis server. It, ./policy and the trail belong on the server,
# outside of Atlantis's data directory: tfgate refuses them in a checkout.

[gate]
rulesets = [{rulesets}]
comment_waivers = []            # a pull request may not waive by a comment

[audit]
log = "/var/lib/tfgate/audit.jsonl"
"""


_PROVIDERS = {"aws": re.compile(r'hashicorp/aws|^\s*(?:resource|data)\s+"aws_', re.MULTILINE)}
_MOST_FILES = 200
_MOST_BYTES = 256 * 1024
"""Looked at of each file to tell which provider is used."""


@dataclass(frozen=True)
class Written:
    """One file."""

    path: str
    """Relative to the directory."""
    new: bool
    """False: it was there, and stays as it is."""


def starter_files(directory: Path, place: Place, name: str, owner: str) -> dict[str, str]:
    """Return every file by its path relative to ``directory``."""
    rulesets = ["tfgate:core", *_shipped_for(directory), "./policy"]
    listed = ", ".join(f'"{ruleset}"' for ruleset in rulesets)
    config = SERVER_CONFIG if place is Place.ATLANTIS else CONFIG
    prefix = re.sub(r"[^A-Z0-9]+", "-", name.upper()).strip("-")[:20].strip("-")
    files = {
        "tfgate.toml": config.format(rulesets=listed),
        "policy/ruleset.toml": RULESET.format(name=name, owner=owner),
        "policy/rules/deletions.toml": RULE.format(prefix=prefix),
    }
    if (own := FILES[place]) is not None:
        path, text = own
        files[path] = text.replace("{version}", __version__)
    return files


def write_starter(directory: Path, files: dict[str, str]) -> Iterator[Written]:
    """Write what is not there yet; give each file as it is done.

    Raises ``TfgateError`` where one cannot be written.
    """
    for name, text in files.items():
        yield Written(name, _write_new(directory / name, text))


def _write_new(path: Path, text: str) -> bool:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:  # follows no link either
            file.write(text)
    except FileExistsError:
        if path.parent.is_dir():
            return False
        raise TfgateError(f"{path.parent} is there, and is no folder.") from None
    except OSError as error:
        raise TfgateError(f"{path} cannot be written: {error.strerror}.") from None
    return True


def name_for(directory: Path) -> str:
    """Make a ruleset id out of a directory's name."""
    words = re.sub(r"[^a-z0-9]+", "-", directory.resolve().name.lower()).strip("-")
    return words[:40].strip("-") if words[:1].isalpha() else "own"


def _shipped_for(directory: Path) -> list[str]:
    """Name the shipped rulesets for the providers that the configuration uses."""
    texts = [_beginning(path) for path in sorted(directory.glob("*.tf"))[:_MOST_FILES]]
    return [
        f"tfgate:{name}"
        for name, sign in _PROVIDERS.items()
        if any(sign.search(text) for text in texts)
    ]


def _beginning(path: Path) -> str:
    try:
        with open_file(path) as file:
            return file.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


_PLACES = ("local", "github", "gitlab", "azure", "atlantis")


@click.command(epilog="Example: tfgate init --for github")
@click.argument(
    "directory", default=".", type=click.Path(path_type=Path, file_okay=False, exists=True)
)
@click.option("--for", "place", type=click.Choice(_PLACES),
              help="Where the gate will run. Asked for where it is not given.")  # fmt: skip
@click.option("--name", metavar="ID", help="Id of the first ruleset (default: the directory's).")
@click.option("--owner", metavar="EMAIL", help="Who answers for its rules (default: git's user).")
def init(directory: Path, place: str | None, name: str | None, owner: str | None) -> None:
    """Write tfgate.toml, a first ruleset with a test, and what the CI system needs.

    What is there already is never overwritten.
    """
    chosen = Place(place or _ask())
    files = starter_files(directory, chosen, _checked(name or name_for(directory)), _owner(owner))
    kept = []
    for file in write_starter(directory, files):
        if not file.new:
            kept.append(file.path)
        word, note = ("wrote", "") if file.new else ("kept ", "  (it was there already)")
        write_out(f"{word}  {console(file.path)}{note}\n")
    if "tfgate.toml" in kept and "policy/ruleset.toml" not in kept:
        write_out('\nThe rules count once tfgate.toml names them: rulesets = [..., "./policy"]\n')
    write_out(f"\nNext: {NEXT[chosen]}\n")


def _ask() -> str:
    if not sys.stdin.isatty():
        raise UsageError("Where will the gate run?", hint=f"Give --for {'|'.join(_PLACES)}.")
    answer: str = click.prompt(
        "Where will the gate run?", type=click.Choice(_PLACES), default="local"
    )
    return answer


def _checked(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,40}", name):
        raise UsageError(
            f"{name!r} is no id of a ruleset.", hint="Use small letters, digits and hyphens."
        )
    return name


def _owner(owner: str | None) -> str:
    if owner is None:
        name = detect_operator(os.environ, None, Path.cwd()).name
        return name if re.fullmatch(r"[\w.+@-]+", name) else "unknown"
    if not re.fullmatch(r"[\w.+@/-]+", owner):
        raise UsageError(f"{owner!r} is no address.", hint="Give --owner team@example.com.")
    return owner
