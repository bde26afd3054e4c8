"""The steps of the action and of the templates, run as the shell that they are."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
AZURE = yaml.safe_load((ROOT / "ci" / "azure-pipelines.yml").read_text())
GITLAB = yaml.safe_load((ROOT / "ci" / "gitlab.yml").read_text())[".tfgate"]
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
PYTHON = f"""#!/bin/sh
# What stands in for the machine's Python: makes an environment whose pip only says what it got.
case "$1" in
-c) exit "${{FAKE_TOO_OLD:-0}}" ;;
-m) mkdir -p "$3/bin"
    printf '#!/bin/sh\\necho "$@" >> "%s/pip.txt"\\n' "$3" > "$3/bin/python"
    cp "$3/bin/python" "$3/bin/pip"
    printf '#!/bin/sh\\nexec {sys.executable} -m tfgate "$@"\\n' > "$3/bin/tfgate"
    chmod +x "$3/bin/python" "$3/bin/pip" "$3/bin/tfgate" ;;
esac
"""


class Ended(NamedTuple):
    """How a step ended."""

    code: int
    out: str


class Job:
    """A job of a CI system: a checkout, a temporary folder, the files that steps write to."""

    def __init__(self, root: Path) -> None:
        self.work = root / "work"
        self.temporary = root / "temp"
        self.output = root / "output.txt"
        self.summary = root / "summary.md"
        programs = root / "bin"
        for folder in (self.work, self.temporary, programs):
            folder.mkdir()
        self.output.touch()
        (programs / "python3").write_text(PYTHON)
        (programs / "python3").chmod(0o755)
        shutil.copy(ROOT / "testdata" / "plans" / "demo.json", self.work / "plan.json")
        shutil.copy(ROOT / "testdata" / "plans" / "empty.json", self.work / "empty.json")
        self.env = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(root),
            "PYTHONPATH": str(ROOT),
            "CI": "true",
        }

    def bash(self, script: str, env: dict[str, str], *options: str) -> Ended:
        """Run a script as the runner does, out of a file."""
        file = self.temporary / "step.sh"
        file.write_text(script)
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", *options, str(file)],
            cwd=self.work,
            env={**self.env, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )
        return Ended(done.returncode, done.stdout.decode())


class GitHub(Job):
    """A job of GitHub Actions."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.env |= {
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTOR": "bob",
            "GITHUB_TRIGGERING_ACTOR": "ann",
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_REPOSITORY": "acme/infra",
            "GITHUB_RUN_ID": "1",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_SHA": "3f2c1e0a9b8d7c6f5e4d3c2b1a0f9e8d7c6b5a49",
            "RUNNER_TEMP": str(self.temporary),
        }

    def step(self, name: str, **inputs: str) -> Ended:
        """Run a step of the action, its ``env`` filled in from inputs, defaults and outputs."""
        step = STEPS[name]
        return self.bash(step["run"], self._env(step, inputs), "-eo", "pipefail")

    def _env(self, step: dict[str, Any], inputs: dict[str, str]) -> dict[str, str]:
        given = {name: spec.get("default", "") for name, spec in ACTION["inputs"].items()}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        known = {f"inputs.{name}": value for name, value in given.items()}
        known |= {f"steps.check.outputs.{key}": value for key, value in self.outputs().items()}
        known["github.action_path"] = str(ROOT)
        return {
            name: EXPRESSION.sub(lambda found: known.get(found[1], ""), value)
            for name, value in step.get("env", {}).items()
        }

    def outputs(self) -> dict[str, str]:
        """Return what steps wrote to ``GITHUB_OUTPUT``."""
        return dict(line.split("=", 1) for line in self.output.read_text().splitlines())

    def run(self, **inputs: str) -> Ended:
        """Run the whole action, but for the upload; give the end of the last step."""
        installed = self.step("Install tfgate", **inputs)
        if installed.code:
            return installed
        judged = self.step("Judge the plan", **inputs)
        assert judged.code == 0, judged
        return Ended(self.step("Verdict", **inputs).code, judged.out)


@pytest.fixture
def github(tmp_path: Path) -> GitHub:
    """A job of GitHub Actions."""
    return GitHub(tmp_path)


def test_no_expression_stands_in_a_script() -> None:
    """What a runner substitutes into a script is run as script: a title of a branch, for one."""
    for step in (*STEPS.values(), *AZURE["steps"]):
        assert not EXPRESSION.search(step.get("run", step.get("bash", "")))


def test_a_denial_fails_the_job(github: GitHub) -> None:
    """With annotations in the log, a page, SARIF, and a comment to post."""
    code, out = github.run(plan="plan.json", rulesets="tfgate:core")
    assert code == 1
    assert github.outputs() == {"verdict": "deny", "exit-code": "1"}
    assert "::error title=tfgate::" in out
    assert "CORE-OUT-001" in github.summary.read_text()
    assert "CORE-OUT-001" in (github.work / "tfgate.md").read_text()
    assert json.loads((github.work / "tfgate.sarif").read_text())["version"] == "2.1.0"
    record = json.loads((github.work.parent / ".local/state/tfgate/audit.jsonl").read_text())
    assert (record["operator"], record["run"]["system"]) == ("ann", "github")


def test_an_allowed_plan_passes(github: GitHub) -> None:
    """Options of tfgate check stand one a line, several rulesets too."""
    inputs = {"rulesets": "tfgate:core\ntfgate:aws\n", "arguments": "--allow-empty\n"}
    code, _ = github.run(plan="empty.json", workspace="prod", **inputs)
    assert code == 0
    assert github.outputs()["verdict"] == "allow"


@pytest.mark.parametrize(
    ("inputs", "code"),
    [({"plan": "missing.json"}, 2), ({"plan": "plan.json", "config": "missing.toml"}, 2)],
)
def test_what_cannot_be_decided_fails_the_job(
    github: GitHub, inputs: dict[str, str], code: int
) -> None:
    """And is told apart from a denial."""
    assert github.run(**inputs).code == code
    assert github.outputs()["verdict"] == "undecided"


def test_a_step_that_never_ran_is_no_verdict(github: GitHub) -> None:
    """Without an exit code the job fails."""
    assert github.step("Verdict").code == 3


HOSTILE = [
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned",
    "--config=x",
    "a\nb",
    '"; touch pwned; "',
]


@pytest.mark.parametrize("text", HOSTILE)
def test_an_input_is_never_run(github: GitHub, text: str) -> None:
    """Nor is the plan's name taken for an option."""
    code, _ = github.run(
        plan=text, rulesets=text, config=text, workspace=text, markdown_file="x.md"
    )
    assert code != 0
    assert not (github.work / "pwned").exists()
    assert set(github.outputs()) == {"verdict", "exit-code"}


def test_what_is_installed_is_pinned(github: GitHub) -> None:
    """The action's own code with what it needs by hash, or the version that was asked for."""
    github.step("Install tfgate")
    pip = github.temporary / "tfgate" / "pip.txt"
    needed, own = pip.read_text().splitlines()
    assert "--no-deps --require-hashes --only-binary :all: -r" in needed
    assert {Path(word).name for word in needed.split() if word.startswith("/")} == {
        "core.txt",
        "build.txt",
    }
    assert "--no-index --no-deps --no-build-isolation" in own
    assert own.split()[-1] == str(ROOT)
    github.step("Install tfgate", version="0.1.0")
    assert pip.read_text().split()[-1] == "tfgate==0.1.0"
    assert github.step("Install tfgate", version="0.1 --index-url=x").code == 2


def test_an_old_python_is_told_of(github: GitHub) -> None:
    """Rather than by a failing pip."""
    github.env["FAKE_TOO_OLD"] = "1"
    code, out = github.step("Install tfgate")
    assert (code, "Python 3.10 or newer" in out) == (2, True)


def test_every_input_is_described_and_used() -> None:
    """In action.yml, and on the page."""
    page = (ROOT / "docs" / "integrations" / "github.md").read_text()
    used = json.dumps(ACTION["runs"])
    for name, spec in ACTION["inputs"].items():
        assert spec["description"]
        assert f"inputs.{name}" in used
        assert f"`{name}`" in page


def test_the_gitlab_job(tmp_path: Path) -> None:
    """Its script writes the artifacts that it names, also of a denied plan."""
    job = Job(tmp_path)
    variables = {**GITLAB["variables"], "CI_BUILDS_DIR": str(tmp_path), "GITLAB_CI": "true"}
    variables |= {"GITLAB_USER_LOGIN": "ann", "TFGATE_RULESETS": "tfgate:core"}
    script = "\n".join([*GITLAB["before_script"], *GITLAB["script"]])
    code, out = job.bash(script, variables, "-eo", "pipefail")
    assert code == 1, out
    assert (tmp_path / "tfgate" / "pip.txt").read_text().split()[-1] == "tfgate==0.1.0"
    artifacts = GITLAB["artifacts"]
    for name in (*artifacts["paths"], *artifacts["reports"].values()):
        assert (job.work / name).stat().st_size
    issues = json.loads((job.work / artifacts["reports"]["codequality"]).read_text())
    assert any(issue["check_name"] == "CORE-OUT-001" for issue in issues)


def test_the_azure_steps(tmp_path: Path) -> None:
    """Parameters come in through the environment; the page and the tests are published."""
    job = Job(tmp_path)
    job.env |= {"AGENT_TEMPDIRECTORY": str(job.temporary), "TF_BUILD": "True"}
    install, judge, publish = AZURE["steps"]
    assert job.bash(install["bash"], {"VERSION": "0.1.0"}).code == 0
    inputs = {"PLAN": "plan.json", "CONFIG": "", "RULESETS": "tfgate:core\n"}
    assert set(judge["env"]) == set(inputs)
    code, out = job.bash(judge["bash"], inputs)
    assert code == 1, out
    assert f"##vso[task.uploadsummary]{job.work}/tfgate.md" in out
    assert (job.work / publish["inputs"]["testResultsFiles"]).exists()
    assert publish["condition"] == "succeededOrFailed()"


def test_versions_in_templates_are_this_one() -> None:
    """A release changes them with its own."""
    from tfgate._version import __version__

    assert GITLAB["variables"]["TFGATE_VERSION"] == __version__
    version = {entry["name"]: entry.get("default") for entry in AZURE["parameters"]}["version"]
    assert version == __version__


def test_the_pre_commit_hooks(tmp_path: Path) -> None:
    """Each entry is a command of tfgate that runs where it is said to."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    shutil.copytree(ROOT / "testdata" / "demo", tmp_path / "demo")
    codes = {}
    for hook in hooks:
        words = [*hook["entry"].split(), *hook.get("args", [])]
        assert words[0] == "tfgate"
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=tmp_path / "demo",
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        codes[hook["id"]] = done.returncode
        assert done.returncode in (0, 1), done.stderr
    assert codes["tfgate-rules"] == 0
