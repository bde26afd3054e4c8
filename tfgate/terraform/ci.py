"""What each CI system says about a run: one row a system, first match wins.

Every value here is an environment variable, and a step of the run can set those: they say who
the CI *says* it was, never prove it. That is why no row makes an operator ``verified``.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tfgate.model.text import clean


class CiSystem(msgspec.Struct, frozen=True):
    """The variables of one CI system. In each tuple the first one that is set wins."""

    name: str
    """What ``Operator.source`` and ``Run.system`` say."""
    signs: tuple[str, ...]
    """All of these must be set (and not to ``false``) for the row to match."""
    operator: tuple[str, ...]
    """Who asked for this run: the person who pressed the button before the one who pushed."""
    run_id: tuple[str, ...] = ()
    url: tuple[str, ...] = ()
    """Templates: ``{NAME}`` is a variable; a template with an unset variable is skipped."""
    commit: tuple[str, ...] = ()
    repository: tuple[str, ...] = ()
    """Templates, as in ``url``."""
    details: tuple[tuple[str, str], ...] = ()
    """``Run.details``: name and template of each; one with an unset variable is left out."""


CI_SYSTEMS: tuple[CiSystem, ...] = (
    # runatlantis.io/docs/custom-workflows: USER_NAME is who commented; PULL_AUTHOR only wrote the
    # change. On an automatic plan USER_NAME is the server's own account.
    CiSystem(
        name="atlantis",
        signs=("PULL_NUM", "HEAD_COMMIT", "BASE_REPO_NAME"),
        operator=("USER_NAME",),
        run_id=("PULL_NUM",),
        url=("{PULL_URL}",),
        commit=("HEAD_COMMIT",),
        repository=("{BASE_REPO_OWNER}/{BASE_REPO_NAME}",),
        details=(
            ("pull_author", "{PULL_AUTHOR}"),
            ("base_branch", "{BASE_BRANCH_NAME}"),
            ("head_branch", "{HEAD_BRANCH_NAME}"),
            ("head_repository", "{HEAD_REPO_OWNER}/{HEAD_REPO_NAME}"),
            ("project", "{PROJECT_NAME}"),
            ("directory", "{REPO_REL_DIR}"),
            ("pull_approved", "{ATLANTIS_PR_APPROVED}"),
            ("pull_mergeable", "{ATLANTIS_PR_MERGEABLE}"),
        ),
    ),
    # developer.hashicorp.com/terraform/cloud-docs/run/run-environment: no variable names a person.
    CiSystem(
        name="hcp-terraform",
        signs=("TFC_RUN_ID",),
        operator=(),
        run_id=("TFC_RUN_ID",),
        commit=("TFC_CONFIGURATION_VERSION_GIT_COMMIT_SHA",),
    ),
    # Gitea and Forgejo run GitHub's variables beside their own sign.
    CiSystem(
        name="gitea",
        signs=("GITEA_ACTIONS",),
        operator=("GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR"),
        run_id=("GITHUB_RUN_ID",),
        url=("{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_NUMBER}",),
        commit=("GITHUB_SHA",),
        repository=("{GITHUB_REPOSITORY}",),
    ),
    # docs.github.com: GITHUB_TRIGGERING_ACTOR is who started or restarted this attempt,
    # GITHUB_ACTOR who caused the first.
    CiSystem(
        name="github",
        signs=("GITHUB_ACTIONS",),
        operator=("GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR"),
        run_id=("GITHUB_RUN_ID",),
        url=(
            (
                "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}"
                "/attempts/{GITHUB_RUN_ATTEMPT}"
            ),
            "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}",
        ),
        commit=("GITHUB_SHA",),
        repository=("{GITHUB_REPOSITORY}",),
    ),
    # docs.gitlab.com/ci/variables/predefined_variables: in a manual job, who started the job.
    CiSystem(
        name="gitlab",
        signs=("GITLAB_CI",),
        operator=("GITLAB_USER_LOGIN", "GITLAB_USER_EMAIL"),
        run_id=("CI_JOB_ID", "CI_PIPELINE_ID"),
        url=("{CI_JOB_URL}", "{CI_PIPELINE_URL}"),
        commit=("CI_COMMIT_SHA",),
        repository=("{CI_PROJECT_PATH}",),
    ),
    # support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets: a UUID is all there is.
    CiSystem(
        name="bitbucket",
        signs=("BITBUCKET_BUILD_NUMBER",),
        operator=("BITBUCKET_STEP_TRIGGERER_UUID",),
        run_id=("BITBUCKET_PIPELINE_UUID", "BITBUCKET_BUILD_NUMBER"),
        url=("{BITBUCKET_GIT_HTTP_ORIGIN}/pipelines/results/{BITBUCKET_BUILD_NUMBER}",),
        commit=("BITBUCKET_COMMIT",),
        repository=("{BITBUCKET_REPO_FULL_NAME}",),
    ),
    # learn.microsoft.com/azure/devops/pipelines/build/variables; a release says who released.
    CiSystem(
        name="azure-pipelines",
        signs=("TF_BUILD",),
        operator=(
            "RELEASE_REQUESTEDFOREMAIL",
            "RELEASE_REQUESTEDFOR",
            "BUILD_REQUESTEDFOREMAIL",
            "BUILD_REQUESTEDFOR",
        ),
        run_id=("RELEASE_RELEASEID", "BUILD_BUILDID"),
        url=(
            "{RELEASE_RELEASEWEBURL}",
            (
                "{SYSTEM_TEAMFOUNDATIONCOLLECTIONURI}{SYSTEM_TEAMPROJECT}"
                "/_build/results?buildId={BUILD_BUILDID}"
            ),
        ),
        commit=("BUILD_SOURCEVERSION",),
        repository=("{BUILD_REPOSITORY_NAME}",),
    ),
    # circleci.com/docs/variables
    CiSystem(
        name="circleci",
        signs=("CIRCLECI",),
        operator=("CIRCLE_USERNAME",),
        run_id=("CIRCLE_WORKFLOW_JOB_ID", "CIRCLE_BUILD_NUM"),
        url=("{CIRCLE_BUILD_URL}",),
        commit=("CIRCLE_SHA1",),
        repository=("{CIRCLE_PROJECT_USERNAME}/{CIRCLE_PROJECT_REPONAME}",),
    ),
    # buildkite.com/docs/pipelines/environment-variables: who unblocked the build asked for what
    # follows; who created it may have pushed days ago.
    CiSystem(
        name="buildkite",
        signs=("BUILDKITE",),
        operator=(
            "BUILDKITE_UNBLOCKER_EMAIL",
            "BUILDKITE_UNBLOCKER",
            "BUILDKITE_BUILD_CREATOR_EMAIL",
            "BUILDKITE_BUILD_CREATOR",
        ),
        run_id=("BUILDKITE_JOB_ID", "BUILDKITE_BUILD_ID"),
        url=("{BUILDKITE_BUILD_URL}#{BUILDKITE_JOB_ID}", "{BUILDKITE_BUILD_URL}"),
        commit=("BUILDKITE_COMMIT",),
        repository=("{BUILDKITE_REPO}",),
    ),
    # plugins.jenkins.io/build-user-vars-plugin. CHANGE_AUTHOR wrote the change; that says nothing
    # about who asked for the apply.
    CiSystem(
        name="jenkins",
        signs=("JENKINS_URL", "BUILD_NUMBER"),
        operator=("BUILD_USER_ID", "BUILD_USER_EMAIL", "BUILD_USER"),
        run_id=("BUILD_TAG", "BUILD_NUMBER"),
        url=("{BUILD_URL}",),
        commit=("GIT_COMMIT",),
        repository=("{GIT_URL}", "{GIT_URL_1}"),
    ),
    # docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
    CiSystem(
        name="codebuild",
        signs=("CODEBUILD_BUILD_ARN",),
        operator=("CODEBUILD_INITIATOR",),
        run_id=("CODEBUILD_BUILD_ID",),
        url=("{CODEBUILD_PUBLIC_BUILD_URL}",),
        commit=("CODEBUILD_RESOLVED_SOURCE_VERSION",),
        repository=("{CODEBUILD_SOURCE_REPO_URL}",),
    ),
)


def detect_ci(env: Mapping[str, str]) -> CiSystem | None:
    """Return the CI system that ``env`` belongs to, or ``None`` on somebody's own machine."""
    for system in CI_SYSTEMS:
        if all(_is_set(env, name) for name in system.signs):
            return system
    return None


def first(env: Mapping[str, str], names: tuple[str, ...]) -> tuple[str, str] | None:
    """Return name and printable value of the first of ``names`` that is set and not blank."""
    for name in names:
        if value := clean(env.get(name, "")):
            return name, value
    return None


def fill(env: Mapping[str, str], templates: tuple[str, ...]) -> str | None:
    """Fill in the first template of which every ``{NAME}`` is set, or give ``None``."""
    for template in templates:
        pieces = template.split("{")
        filled = [pieces[0]]
        for piece in pieces[1:]:
            name, _, rest = piece.partition("}")
            value = clean(env.get(name, ""), 1024)
            if not value:
                break
            filled += [value, rest]
        else:
            return "".join(filled)
    return None


def _is_set(env: Mapping[str, str], name: str) -> bool:
    return env.get(name, "").strip().lower() not in ("", "false", "0")
