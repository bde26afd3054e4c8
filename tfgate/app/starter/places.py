"""What each place that tfgate runs in needs, as ``tfgate init`` writes it."""

from __future__ import annotations

from enum import Enum


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
