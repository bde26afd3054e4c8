"""What is known of the tokens of each CI system and provider: one row a system.

The claims are those that the systems document; docs/identity.md has the pages, and what to write in
a pipeline for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from tfgate.model import Frozen


class PresetName(str, Enum):
    """A system whose tokens are known."""

    GITHUB = "github"
    GITLAB = "gitlab"
    HCP_TERRAFORM = "hcp-terraform"
    CIRCLECI = "circleci"
    BUILDKITE = "buildkite"
    AZURE_DEVOPS = "azure-devops"
    BITBUCKET = "bitbucket"
    KUBERNETES = "kubernetes"
    GOOGLE = "google"

    def __str__(self) -> str:
        return self.value


class Preset(Frozen, frozen=True):
    """What need not be written in the configuration, because the system documents it."""

    issuer: str = ""
    """Empty where each customer has one of their own."""
    issuer_pattern: str = ""
    """What such a one looks like."""
    audience: str = ""
    """The audience, where the system allows no other."""
    operator: str = ""
    conditions: Mapping[str, tuple[str, ...]] = {}
    claims: tuple[str, ...] = ()
    tenants: Mapping[str, str] = {}
    """Claims that say whose part of a system it is that everybody may use. A condition on one of
    them is needed, and so much of it must be without wildcards: all of it (an empty text), a
    beginning that fits this glob, or what follows the last ``@`` (``@``)."""
    keys_hosts: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    """Variables in which the system, or the snippet of its page, hands the token over."""
    file: str | None = None
    """File in which the system hands it over."""
    missing: str = ""
    """What to do where there is no token, in a clause."""


PRESETS: Final[Mapping[PresetName, Preset]] = {
    # docs.github.com/actions/reference/security/oidc
    PresetName.GITHUB: Preset(
        issuer="https://token.actions.githubusercontent.com",
        operator="{actor}@github",
        claims=(
            "actor",
            "actor_id",
            "repository",
            "repository_id",
            "repository_owner",
            "ref",
            "sha",
            "event_name",
            "environment",
            "workflow_ref",
            "job_workflow_ref",
            "run_id",
            "run_attempt",
        ),
        tenants={
            "repository": "*/",
            "repository_id": "",
            "repository_owner": "",
            "repository_owner_id": "",
            "enterprise": "",
            "enterprise_id": "",
            "job_workflow_ref": "*/",
            "sub": "repo:*/",
        },
        missing="give the job `permissions: id-token: write`",
    ),
    # docs.gitlab.com/ci/secrets/id_token_authentication
    PresetName.GITLAB: Preset(
        issuer="https://gitlab.com",
        operator="{user_login}@gitlab",
        claims=(
            "user_login",
            "user_id",
            "user_email",
            "namespace_path",
            "project_path",
            "project_id",
            "ref",
            "ref_type",
            "ref_protected",
            "environment",
            "environment_protected",
            "pipeline_id",
            "pipeline_source",
            "job_id",
            "sha",
        ),
        tenants={
            "namespace_id": "",
            "namespace_path": "",
            "project_id": "",
            "project_path": "*/",
            "sub": "project_path:*/",
        },
        missing="give the job `id_tokens: TFGATE_IDENTITY_TOKEN: aud: …`",
    ),
    # developer.hashicorp.com/terraform/cloud-docs/workspaces/dynamic-provider-credentials
    PresetName.HCP_TERRAFORM: Preset(
        issuer="https://app.terraform.io",
        operator="{terraform_full_workspace}",
        claims=(
            "terraform_organization_name",
            "terraform_organization_id",
            "terraform_project_name",
            "terraform_workspace_name",
            "terraform_workspace_id",
            "terraform_full_workspace",
            "terraform_run_id",
            "terraform_run_phase",
        ),
        tenants={
            "terraform_organization_id": "",
            "terraform_organization_name": "",
            "terraform_workspace_id": "",
            "terraform_full_workspace": "organization:*:",
            "sub": "organization:*:",
        },
        variables=("TFC_WORKLOAD_IDENTITY_TOKEN_TFGATE",),
        missing="set the variable TFC_WORKLOAD_IDENTITY_AUDIENCE_TFGATE in the workspace",
    ),
    # circleci.com/docs/openid-connect-tokens
    PresetName.CIRCLECI: Preset(
        issuer_pattern="https://oidc.circleci.com/org/ORGANIZATION_ID",
        operator='{"oidc.circleci.com/project-id"}@circleci',
        claims=(
            '"oidc.circleci.com/project-id"',
            '"oidc.circleci.com/context-ids"',
            '"oidc.circleci.com/vcs-origin"',
            '"oidc.circleci.com/vcs-ref"',
            '"oidc.circleci.com/ssh-rerun"',
        ),
        missing="run `circleci run oidc get`, as the page on CircleCI says",
    ),
    # buildkite.com/docs/pipelines/security/oidc
    PresetName.BUILDKITE: Preset(
        issuer="https://agent.buildkite.com",
        operator="{pipeline_slug}@buildkite",
        claims=(
            "organization_slug",
            "pipeline_slug",
            "build_number",
            "build_branch",
            "build_commit",
            "build_source",
            "step_key",
            "job_id",
            "agent_id",
        ),
        tenants={
            "organization_slug": "",
            "organization_id": "",
            "pipeline_id": "",
            "sub": "organization:*:",
        },
        missing="run `buildkite-agent oidc request-token`, as the page on Buildkite says",
    ),
    # learn.microsoft.com/azure/devops/release-notes (workload identity federation): the audience is
    # fixed. SYSTEM_OIDCREQUESTURI is what azurerm and azuread ask as well.
    PresetName.AZURE_DEVOPS: Preset(
        issuer_pattern="https://vstoken.dev.azure.com/ORGANIZATION_ID",
        audience="api://AzureADTokenExchange",
        operator="{sub}",
        claims=("org_id", "prj_id", "def_id", "rpo_uri", "rpo_ref", "rpo_ver", "run_id"),
        missing="give the step `env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)`",
    ),
    # support.atlassian.com/bitbucket-cloud/docs
    # (integrate-pipelines-with-resource-servers-using-oidc): the audience is the workspace's.
    PresetName.BITBUCKET: Preset(
        issuer_pattern=(
            "https://api.bitbucket.org/2.0/workspaces/WORKSPACE/pipelines-config/identity/oidc"
        ),
        operator="{sub}@bitbucket",
        claims=(
            "workspaceUuid",
            "repositoryUuid",
            "branchName",
            "pipelineUuid",
            "stepUuid",
            "deploymentEnvironmentUuid",
        ),
        variables=("BITBUCKET_STEP_OIDC_TOKEN",),
        missing="give the step `oidc: true`",
    ),
    # kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin
    PresetName.KUBERNETES: Preset(
        issuer_pattern="what `kubectl get --raw /.well-known/openid-configuration` says",
        operator="{sub}",
        claims=(
            '"kubernetes.io".namespace',
            '"kubernetes.io".serviceaccount.name',
            '"kubernetes.io".serviceaccount.uid',
            '"kubernetes.io".pod.name',
        ),
        file="/var/run/secrets/tfgate/token",
        missing="mount a serviceAccountToken volume with that audience at "
        "/var/run/secrets/tfgate/token",
    ),
    # cloud.google.com/docs/authentication/get-id-token: a person's or a service account's.
    PresetName.GOOGLE: Preset(
        issuer="https://accounts.google.com",
        operator="{email}",
        conditions={"email_verified": ("true",)},
        claims=("email", "hd", "azp", "google.compute_engine.instance_name"),
        tenants={"email": "@", "hd": "", "sub": "", "azp": ""},
        keys_hosts=("www.googleapis.com",),
        missing="run on Google Cloud, or hand over what `gcloud auth print-identity-token` prints",
    ),
}
