"""Who asks for a decision, proven by a token: on record, needed or not, and the token nowhere."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.parse
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from tests.support.issuers import AUDIENCE, TestIssuer, served
from tests.support.judging import NOW, Bench, plan_json
from tests.support.record_schema import check_records
from tfgate.cli.main import main
from tfgate.errors import IdentityError
from tfgate.exitcodes import ExitCode
from tfgate.gate.check import check
from tfgate.gate.exec import shim_script
from tfgate.model.decision import Verdict
from tfgate.report import FORMATS
from tfgate.ruleset.issuer_presets import PRESETS, PresetName
from tfgate.terraform.runner import Terraform, without_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS = int(NOW.timestamp())
FRESH = {"iat": SECONDS, "nbf": SECONDS, "exp": SECONDS + 300}


@pytest.fixture
def issuer() -> TestIssuer:
    """An issuer whose keys are in a file."""
    return TestIssuer("https://login.acme.example")


@pytest.fixture
def bench(tmp_path: Path, issuer: TestIssuer) -> Bench:
    """A gate that believes the issuer."""
    bench = Bench(tmp_path)
    bench.write("keys.json", json.dumps(issuer.key_set()))
    bench.config(
        '[identity]\nname = "prod"\n[[identity.issuers]]\nname = "acme"\n'
        f'issuer = "{issuer.url}"\nkeys = "keys.json"\noperator = "{{actor}}@github"\n'
        'conditions = { repository = "acme/*" }\nclaims = ["repository", "actor", "groups"]\n'
    )
    return bench


def token_of(issuer: TestIssuer, **changed: Any) -> str:
    """Return a token that holds at the bench's time."""
    return issuer.sign(**{**FRESH, **changed})


def use(bench: Bench, token: str | None, env: dict[str, str] | None = None, **changes: Any) -> Any:
    """Check a plan that is allowed, with a token in the variable."""
    env = {**bench.request.env, **(env or {})}
    if token is not None:
        env["TFGATE_IDENTITY_TOKEN"] = token
    bench.plan(plan_json("short"))
    return check(replace(bench.request, env=env, **changes))


def test_a_proven_operator_is_on_record(bench: Bench, issuer: TestIssuer) -> None:
    """With issuer, subject, the claims that the configuration names, and the ids of token and key.

    What a flag or a variable says of the operator does not count then.
    """
    token = token_of(issuer, groups=["infra", "ops"])
    result = use(bench, token, operator="mallory")
    assert result.decision.verdict is Verdict.ALLOW
    record = bench.records()[-1]
    assert record["operator"] == "alice@github"
    assert record["operator_facts"] == {
        "name": "alice@github",
        "source": "acme",
        "verified": True,
        "issuer": "https://login.acme.example",
        "subject": "repo:acme/infra:ref:refs/heads/main",
        "claims": {"repository": "acme/infra", "actor": "alice", "groups": ["infra", "ops"]},
        "token_id": "token-1",
        "key_id": "key-1",
    }
    check_records(bench.records())


def test_a_claimed_operator_is_not(bench: Bench) -> None:
    """Without a token it is as ever: claimed, and without a warning."""
    result = use(bench, None)
    assert bench.records()[-1]["operator_facts"] == {"name": "olga", "source": "environment"}
    assert not [text for text in result.decision.warnings if "proven" in text]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"aud": "tfgate:test"}, "another audience than tfgate:prod"),
        ({"exp": SECONDS - 100}, "has expired"),
        ({"repository": "mallory/infra"}, "no claim repository that is acme/*"),
    ],
)
def test_a_token_that_proves_nothing(
    bench: Bench, issuer: TestIssuer, changed: dict[str, Any], words: str
) -> None:
    """The operator is claimed, and a warning says why; where proof is needed, nothing is decided.

    One made for another gate is of no use here.
    """
    token = token_of(issuer, **changed)
    result = use(bench, token)
    (warning,) = [text for text in result.decision.warnings if "proven" in text]
    assert words in warning
    assert bench.records()[-1]["operator_facts"] == {"name": "olga", "source": "environment"}
    with pytest.raises(IdentityError, match=r"as the workspace default needs \(require") as error:
        use(bench, token, flags={"gate.require_verified_operator": True})
    assert words in str(error.value)
    record = bench.records()[-1]
    assert record["event"] == "undecided"
    assert words in record["error"]
    assert record["error_type"] == "IdentityError"
    assert error.value.exit_code is ExitCode.UNDECIDED


def test_a_token_that_was_named_and_proves_nothing(bench: Bench, issuer: TestIssuer) -> None:
    """Who names a token means it: the check does not go on with a claim."""
    bench.write("token", token_of(issuer, aud="tfgate:test"))
    with pytest.raises(IdentityError, match="another audience"):
        use(bench, None, identity_token_file=bench.folder / "token")
    bench.write("token", token_of(issuer) + "\n")
    result = use(bench, None, identity_token_file=bench.folder / "token")
    assert result.decision.operator.verified


def test_what_is_missing_is_said(bench: Bench, issuer: TestIssuer) -> None:
    """In one sentence, with how a job gets a token; by workspace."""
    bench.config('[[workspace]]\nmatch = "prod-*"\nrequire_verified_operator = true\n')
    assert use(bench, None).decision.verdict is Verdict.ALLOW
    with pytest.raises(IdentityError, match="has no token of acme: hand a token over in TFGATE_"):
        use(bench, None, workspace="prod-eu")
    token = token_of(issuer)
    assert use(bench, token, workspace="prod-eu").decision.verdict is Verdict.ALLOW


def test_without_an_issuer_nothing_is_proven(tmp_path: Path) -> None:
    """A gate that needs proof and believes nobody decides nothing, and says so."""
    bench = Bench(tmp_path)
    bench.config("[identity]\n")
    with pytest.raises(IdentityError, match=r"has no \[\[identity\.issuers\]\]"):
        use(bench, None, flags={"gate.require_verified_operator": True})
    assert use(bench, "x.y.z").decision.verdict is Verdict.ALLOW


def test_the_advice_of_a_system(tmp_path: Path) -> None:
    """For GitHub: which permission the job needs."""
    bench = Bench(tmp_path)
    bench.config(
        '[identity]\nname = "prod"\n[[identity.issuers]]\npreset = "github"\n'
        'conditions = { repository = "acme/*" }\n'
    )
    with pytest.raises(IdentityError, match="give the job `permissions: id-token: write`"):
        use(bench, None, flags={"gate.require_verified_operator": True})


def test_the_command_ends_with_3(
    bench: Bench,
    issuer: TestIssuer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without proof, where proof is needed: and nothing else is decided."""
    monkeypatch.chdir(bench.folder)
    monkeypatch.setenv("TFGATE_REQUIRE_VERIFIED_OPERATOR", "true")
    monkeypatch.delenv("TFGATE_IDENTITY_TOKEN", raising=False)
    plan = bench.plan(plan_json("short"))
    assert main(["check", plan]) == 3
    assert "It is not proven who asks" in capsys.readouterr().err
    assert bench.records()[-1]["event"] == "undecided"
    assert main(["check", "--source", str(bench.folder), "-r", "tfgate:source"]) == 3


def test_reading_needs_no_proof(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody is asked who only looks: nothing is decided there."""
    monkeypatch.chdir(bench.folder)
    monkeypatch.setenv("TFGATE_REQUIRE_VERIFIED_OPERATOR", "true")
    plan = bench.plan(plan_json("short"))
    assert main(["review", plan]) == 0
    assert main(["eval", "--plan", plan, "length(changes)"]) in (0, 2)
    assert "proven" not in capsys.readouterr().err


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[tuple[TestIssuer, Path]]:
    """An issuer over TLS that makes tokens for whoever asks."""
    with served(tmp_path) as both:
        both[0].token_claims = dict(FRESH)
        yield both


@pytest.mark.parametrize(
    ("preset", "variables"),
    [
        (
            "github",
            {
                "ACTIONS_ID_TOKEN_REQUEST_URL": "{url}/request?api-version=2.0",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "CANARY-request",
            },
        ),
        (
            "azure-devops",
            {"SYSTEM_OIDCREQUESTURI": "{url}/request", "SYSTEM_ACCESSTOKEN": "CANARY-request"},
        ),
    ],
)
def test_a_system_that_is_asked(
    tmp_path: Path, hosted: tuple[TestIssuer, Path], preset: str, variables: dict[str, str]
) -> None:
    """GitHub makes a token for our own audience; neither it nor the right to ask is kept."""
    issuer, ca_file = hosted
    bench = Bench(tmp_path)
    audience = "none" if preset == "azure-devops" else AUDIENCE
    bench.config(
        f'[identity]\nname = "prod"\n[[identity.issuers]]\npreset = "{preset}"\n'
        f'issuer = "{issuer.url}"\nca_file = "{ca_file}"\naudience = ["{audience}"]\n'
        'conditions = { repository = "acme/*" }\noperator = "{actor}@github"\n'
    )
    given = {name: value.format(url=issuer.url) for name, value in variables.items()}
    result = use(bench, None, env=given)
    assert result.decision.operator.name == "alice@github", result.decision.warnings
    assert issuer.headers[0]["authorization"] == "Bearer CANARY-request"
    asked = urllib.parse.urlsplit(issuer.asked[0])
    if preset == "github":
        assert urllib.parse.parse_qs(asked.query)["audience"] == [AUDIENCE]
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"CANARY-request" not in written


def test_a_request_url_without_tls(tmp_path: Path, hosted: tuple[TestIssuer, Path]) -> None:
    """The token that may ask goes nowhere in plain text."""
    bench = Bench(tmp_path)
    bench.config(
        '[identity]\nname = "prod"\n[[identity.issuers]]\npreset = "github"\n'
        'conditions = { repository = "acme/*" }\n'
    )
    env = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": "http://example.invalid/x",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "CANARY-request",
    }
    result = use(bench, None, env=env)
    assert any("is not https" in text for text in result.decision.warnings)
    assert not result.decision.operator.verified


def documented(preset: PresetName, url: str) -> dict[str, Any]:
    """Return the claims that the documentation of a system shows, as far as they matter here."""
    claims: dict[PresetName, dict[str, Any]] = {
        PresetName.GITHUB: {
            "sub": "repo:acme/infra:environment:prod",
            "environment": "prod",
            "repository": "acme/infra",
            "repository_owner": "acme",
            "repository_id": "74",
            "repository_owner_id": "65",
            "actor": "alice",
            "actor_id": "12",
            "workflow": "apply",
            "ref": "refs/heads/main",
            "ref_type": "branch",
            "ref_protected": "true",
            "run_id": "9",
            "event_name": "workflow_dispatch",
            "job_workflow_ref": "acme/infra/.github/workflows/apply.yml@refs/heads/main",
        },
        PresetName.GITLAB: {
            "sub": "project_path:acme/infra:ref_type:branch:ref:main",
            "namespace_id": "72",
            "namespace_path": "acme",
            "project_id": "20",
            "project_path": "acme/infra",
            "user_id": "1",
            "user_login": "alice",
            "user_email": "alice@acme.example",
            "pipeline_id": "574",
            "pipeline_source": "web",
            "job_id": "302",
            "ref": "main",
            "ref_type": "branch",
            "ref_protected": "true",
            "environment": "prod",
            "environment_protected": "true",
            "runner_id": 1,
        },
        PresetName.HCP_TERRAFORM: {
            "sub": "organization:acme:project:net:workspace:prod:run_phase:apply",
            "terraform_run_phase": "apply",
            "terraform_workspace_id": "ws-1",
            "terraform_workspace_name": "prod",
            "terraform_organization_id": "org-1",
            "terraform_organization_name": "acme",
            "terraform_project_name": "net",
            "terraform_run_id": "run-1",
            "terraform_full_workspace": "organization:acme:project:net:workspace:prod",
        },
        PresetName.CIRCLECI: {
            "sub": "org/1/project/2/user/3",
            "oidc.circleci.com/project-id": "2",
            "oidc.circleci.com/context-ids": ["4"],
        },
        PresetName.BUILDKITE: {
            "sub": "organization:acme:pipeline:infra:ref:refs/heads/main:commit:9f3:step:apply",
            "organization_slug": "acme",
            "pipeline_slug": "infra",
            "build_number": 1,
            "build_branch": "main",
        },
        PresetName.AZURE_DEVOPS: {
            "sub": "p://acme/infra/apply",
            "org_id": "o-1",
            "prj_id": "p-1",
            "def_id": "7",
            "rpo_ref": "refs/heads/main",
        },
        PresetName.BITBUCKET: {
            "sub": "{ba02}:{7a7b}:{4c23}",
            "workspaceUuid": "{ba02}",
            "repositoryUuid": "{7a7b}",
            "branchName": "main",
        },
        PresetName.KUBERNETES: {
            "sub": "system:serviceaccount:atlantis:runner",
            "kubernetes.io": {
                "namespace": "atlantis",
                "serviceaccount": {"name": "runner", "uid": "u-1"},
                "pod": {"name": "runner-0", "uid": "u-2"},
            },
        },
        PresetName.GOOGLE: {
            "sub": "1077",
            "azp": "1077",
            "email": "runner@acme.iam.gserviceaccount.com",
            "email_verified": True,
        },
    }
    return {**FRESH, "iss": url, "jti": "j-1", **claims[preset]}


NAMES = {
    PresetName.GITHUB: "alice@github",
    PresetName.GITLAB: "alice@gitlab",
    PresetName.HCP_TERRAFORM: "organization:acme:project:net:workspace:prod",
    PresetName.CIRCLECI: "2@circleci",
    PresetName.BUILDKITE: "infra@buildkite",
    PresetName.AZURE_DEVOPS: "p://acme/infra/apply",
    PresetName.BITBUCKET: "{ba02}:{7a7b}:{4c23}@bitbucket",
    PresetName.KUBERNETES: "system:serviceaccount:atlantis:runner",
    PresetName.GOOGLE: "runner@acme.iam.gserviceaccount.com",
}
MINE = {
    PresetName.GITHUB: 'repository = "acme/*"',
    PresetName.GITLAB: 'project_path = "acme/*"',
    PresetName.HCP_TERRAFORM: 'terraform_organization_name = "acme"',
    PresetName.BUILDKITE: 'organization_slug = "acme"',
    PresetName.GOOGLE: 'email = "*@acme.iam.gserviceaccount.com"',
}


@pytest.mark.parametrize("preset", list(PresetName))
def test_the_documented_claims_of_every_system(tmp_path: Path, preset: PresetName) -> None:
    """Each preset makes an operator of what its system documents, and of nobody else's."""
    known = PRESETS[preset]
    issuer = TestIssuer(known.issuer or "https://oidc.example/org/1")
    bench = Bench(tmp_path)
    bench.write("keys.json", json.dumps(issuer.key_set()))
    audience = known.audience or "tfgate:prod"
    bench.config(
        f'[identity]\nname = "prod"\n[[identity.issuers]]\npreset = "{preset}"\n'
        f'issuer = "{issuer.url}"\nkeys = "keys.json"\n'
        f"conditions = {{ {MINE.get(preset, '')} }}\n"
    )
    claims = {**documented(preset, issuer.url), "aud": audience}
    operator = use(bench, issuer.sign(claims)).decision.operator
    assert operator.name == NAMES[preset]
    assert (operator.source, operator.subject) == (str(preset), claims["sub"])
    assert operator.claims
    if preset in MINE:
        text = json.dumps(claims).replace("acme", "mallory")
        result = use(bench, issuer.sign(json.loads(text)))
        assert not result.decision.operator.verified
        assert any("which the configuration asks for" in one for one in result.decision.warnings)


def test_no_token_anywhere(
    bench: Bench,
    issuer: TestIssuer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Not in a report, a record, evidence, the cache or an error, whether it is good or bad."""
    monkeypatch.chdir(bench.folder)
    monkeypatch.setenv("HOME", str(bench.folder))
    plan = bench.plan(plan_json("short"))
    now = int(time.time())
    good = issuer.sign(iat=now, nbf=now, exp=now + 300, jti="j", canary="CANARY-claim")
    bad = issuer.sign(iat=now, nbf=now, exp=now + 300, aud="CANARY-audience")
    forged = good[:-20] + "A" * 20
    for token in (good, bad, forged, "CANARY-no-token", "CANARY with spaces"):
        monkeypatch.setenv("TFGATE_IDENTITY_TOKEN", token)
        for report in FORMATS:
            main(["check", plan, "--report", f"{report}=out-{report}"])
            main(["check", plan, "--report", report])
        main(["--debug", "check", plan])
        bench.write("token", token)
        main(["check", plan, "--identity-token-file", "token"])
        (bench.folder / "token").unlink()
        shown = capsys.readouterr()
        files = [file for file in bench.folder.rglob("*") if file.is_file()]
        written = "".join(file.read_bytes().decode("latin-1") for file in files)
        for part in (token, token.split(".")[-1], "CANARY"):
            assert part not in shown.out
            assert part not in shown.err
            assert part not in written


def test_terraform_gets_no_token(tmp_path: Path) -> None:
    """Neither the real one nor a stand-in's: what a configuration runs could use it."""
    tokens = {
        "TFGATE_IDENTITY_TOKEN": "CANARY-1",
        "TFGATE_IDENTITY_TOKEN_FILE": "CANARY-2",
        "TFGATE_IDENTITY_TOKEN_ACME": "CANARY-3",
        "TFC_WORKLOAD_IDENTITY_TOKEN_TFGATE": "CANARY-4",
        "TFGATE_APPROVAL_TOKEN": "CANARY-5",
    }
    assert without_tokens({**tokens, "PATH": "/bin", "TFGATE_CONFIG": "x"}) == {
        "PATH": "/bin",
        "TFGATE_CONFIG": "x",
    }
    program = tmp_path / "terraform"
    program.write_text('#!/bin/sh\nenv > "$OUT"\n')
    program.chmod(0o755)
    out = tmp_path / "out"
    env = {**tokens, "PATH": "/usr/bin:/bin", "OUT": str(out)}
    terraform = Terraform(kind="terraform", command=[str(program)], env=env)
    terraform.run(["apply"], tmp_path)
    assert "CANARY" not in out.read_text()
    terraform.run(["apply"], tmp_path, env=env)
    assert "CANARY" not in out.read_text()
    terraform.providers_schema(tmp_path)
    assert "CANARY" not in out.read_text()


def test_a_stand_in_passes_no_token_on(tmp_path: Path) -> None:
    """With a token in the environment even a plan goes through the gate, which takes it out."""
    script = re.sub(r"\|\| exec .*", "|| { echo gate; exit; }", shim_script("terraform"))
    for folder, text in (("shims", script), ("real", "#!/bin/sh\necho real\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "terraform").write_text(text)
        (tmp_path / folder / "terraform").chmod(0o755)
    (tmp_path / "shims" / ".tfgate-shim").write_text("")
    path = f"{tmp_path}/shims:{tmp_path}/real:/usr/bin:/bin"

    def answers(**more: str) -> str:
        command = [str(tmp_path / "shims" / "terraform"), "version"]
        env = {"PATH": path, **more}
        return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout

    assert answers() == "real\n"
    assert answers(TFGATE_CONFIG="x") == "real\n"
    assert answers(TFGATE_IDENTITY_TOKEN="x") == "gate\n"
    assert answers(TFGATE_IDENTITY_TOKEN_ACME="x") == "gate\n"
