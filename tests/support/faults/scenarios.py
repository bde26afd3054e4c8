"""Every command, as the faults meet it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.faults.box import Box


class Kind(enum.Enum):
    """What exit code 0 means."""

    ALLOWS = "allows"
    """That the plan may be applied: never without a durable record."""
    APPLIES = "applies"
    """That it was applied: never without a durable record before."""
    SAYS = "says"
    """That the text says it: an Atlantis policy check, which is read and not asked for its code."""
    DENIES = "denies"
    """Nothing: it must not come."""
    TELLS = "tells"
    """That everything was told or done."""


@dataclass(frozen=True)
class Scenario:
    """One command line. ``{gate}`` and the like stand for places in the box, ``~`` for a blank."""

    command: str
    """The command's path, as ``audit verify``."""
    arguments: str = ""
    kind: Kind = Kind.TELLS
    code: int = 0
    """Exit code without a fault."""
    config: str = ""
    """Name of the configuration in ``gate``, where it is not ``tfgate``."""
    cwd: str = "work"
    typed: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    slow: bool = False
    """Whether a run takes so long that few faults must do."""

    @property
    def name(self) -> str:
        """For people."""
        words = [self.command, self.arguments, self.config]
        return " ".join(word for word in words if word)

    def words(self, box: Box) -> list[str]:
        """The command line."""
        decided = (box.work / "decided").read_text()
        places = {"gate": box.gate, "decided": decided, "root": box.root}
        words = f"{self.command} {self.arguments}".split()
        return [word.format(**places).replace("~", " ") for word in words]

    def environment(self, box: Box) -> dict[str, str]:
        """What is added to the environment."""
        more = {
            name: value.format(gate=box.gate, root=box.root) for name, value in self.env.items()
        }
        if self.config:
            more["TFGATE_CONFIG"] = str(box.gate / f"{self.config}.toml")
        return more


DORA = {"TFGATE_OPERATOR": "dora@acme.example"}
"""She approves."""
_DIRECTORY = {"TFGATE_PLAN_COPY": "directory"}
_KEY = "--key {gate}/keys/approver --reason test --expires 2h --yes --output new.json"
_TF = "-- terraform"


def atlantis_of(plan: str) -> dict[str, str]:
    """Return the environment in which Atlantis runs a command about a plan."""
    return {
        "PLANFILE": f"{{root}}/work/{plan}.tfplan",
        "SHOWFILE": f"{{root}}/work/{plan}.json",
        "WORKSPACE": "default",
        "USER_NAME": "ann",
        "DIR": "{root}/work",
    }


def _gate() -> Iterator[Scenario]:
    """Commands that allow, deny or apply."""
    allows, applies, denies = Kind.ALLOWS, Kind.APPLIES, Kind.DENIES
    yield Scenario("check", "good.json", allows)
    yield Scenario("check", "good.json --audit-log {root}/fresh/new/audit.jsonl", allows)
    yield Scenario("check", "bad.json", denies, 1)
    yield Scenario("check", "bad.tfplan --approval approval.json", allows)
    yield Scenario("check", "bad.tfplan --approval approval.json", allows)
    yield Scenario("check", "good.tfplan --receipt new.json", allows)
    yield Scenario("check", "bad.tfplan --approval-request new.json", denies, 1)
    yield Scenario("check", "good.tfplan", allows, env=_DIRECTORY)
    yield Scenario("check", "good.json --report json --report sarif=out.sarif", allows)
    yield Scenario("check", "plans", allows)
    yield Scenario("check", "--source . -r tfgate:source --allow-empty", allows)
    for config in ("history", "rotating", "signing", "sinking", "strict"):
        yield Scenario("check", "good.json", allows, config=config)
    yield Scenario("apply", "good.tfplan -auto-approve", applies)
    yield Scenario("apply", "-auto-approve", applies)
    yield Scenario("apply", "-auto-approve", applies, env=_DIRECTORY)
    yield Scenario("apply", "bad.tfplan -auto-approve", denies, 1)
    yield Scenario("apply", "good.tfplan -auto-approve --receipt receipt.json", applies)
    yield Scenario("apply", "good.tfplan -auto-approve -json", applies, config="strict")
    yield Scenario("exec", f"{_TF} apply good.tfplan", applies)
    yield Scenario("exec", f"{_TF} apply", applies, typed="yes\n")
    yield Scenario("exec", f"{_TF} apply", denies, 1, typed="no\n")
    yield Scenario("exec", f"{_TF} import a b", applies)
    yield Scenario("exec", f"{_TF} taint a", denies, 1, config="commands")
    yield Scenario("exec", f"{_TF} version", Kind.TELLS)
    yield Scenario("exec", "-- true", Kind.TELLS)
    yield Scenario("atlantis apply", "", applies, env=atlantis_of("good"))
    yield Scenario("atlantis apply", "--check-only", allows, env=atlantis_of("good"))
    yield Scenario("atlantis", "", Kind.SAYS, env=atlantis_of("good"))


def _others() -> Iterator[Scenario]:
    """Commands that tell, or write something else than decisions."""
    yield Scenario("init", "fresh --owner ann@acme.example --name acme --for local")
    yield Scenario("approve", f"request.json {_KEY}", env=DORA)
    yield Scenario("approvals wait", "none --server https://gate.example", code=2)
    for command in ("login", "logout"):
        yield Scenario(command, code=2)
    yield Scenario("whoami")
    yield Scenario("review", "good.json")
    yield Scenario("review", "good.json --html page.html")
    yield Scenario("verify", "{decided} --state state.json")
    yield Scenario("shim install", "{root}/shims")
    yield Scenario("explain", "good.json --rule A-1")
    yield Scenario("eval", "good.json after.tags --address aws_s3_bucket.logs")
    yield Scenario(
        "rules new", "A-9 --from good.json --address aws_s3_bucket.logs --attribute bucket"
    )
    yield Scenario("rules test", "{gate}/policy --junit junit.xml", code=1)
    yield Scenario("rules mutate", "{gate}/policy --only A-1 --jobs 1", code=1, slow=True)
    yield Scenario("rules lint", "{gate}/policy")
    yield Scenario("rules upgrade", "{gate}/policy")
    yield Scenario("rules docs", "{gate}/policy --out pages")
    yield Scenario("rules update", "", cwd="work/remote", env={"TFGATE_CONFIG": ""})
    yield Scenario("rules log", "A-1", config="history")
    yield Scenario("rules review", "--base HEAD^", cwd="gate/repo", config="history")
    yield Scenario("rules list")
    yield Scenario("rules show", "A-1")
    yield Scenario(
        "impact",
        "--base HEAD^ --plans ../../work/plans --jobs 1",
        cwd="gate/repo",
        config="history",
    )
    yield Scenario("audit search", "--last 3")
    yield Scenario("audit report", "--output report.html")
    yield Scenario("audit export", "--decision {decided} --output bundle")
    yield Scenario("audit deliver", "", config="sinking")
    yield Scenario("audit status", "", config="sinking")
    yield Scenario("audit sql", "select~count(*)~from~records", slow=True)
    yield Scenario("audit checkpoint", "--key {gate}/keys/audit")
    yield Scenario("audit show", "{decided}")
    yield Scenario("audit verify")
    yield Scenario("atlantis doctor", "--repos {gate}/repos.yaml", code=1)
    yield Scenario("serve", "--check --config {gate}/server.toml")
    yield Scenario(
        "waivers import", ". --owner ann@acme.example --expires 2027-01-31 --output w.toml"
    )
    yield Scenario("waivers list")
    yield Scenario("config")
    yield Scenario(
        "schema index", "--from schema.json --out new.index.json.gz --provider-version 5.1.0"
    )
    yield Scenario("schema", "config")
    yield Scenario("lsp", "")
    yield Scenario("completion", "bash")


SCENARIOS: tuple[Scenario, ...] = (*_gate(), *_others())
