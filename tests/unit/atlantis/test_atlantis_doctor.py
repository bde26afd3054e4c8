"""The doctor knows each trap, where it is, and leaves good settings alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tfgate.atlantis.doctor import Files, examine
from tfgate.atlantis.settings import parse_document
from tfgate.atlantis.traps import Danger
from tfgate.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
repos:
  - id: /.*/
    apply_requirements: [approved, policies_passed]
    policy_check: true
    custom_policy_check: true
    workflow: gated
workflows:
  gated:
    policy_check:
      steps:
        - show
        - env: {name: LANG, value: C.UTF-8}
        - run: tfgate atlantis --config /etc/tfgate/tfgate.toml
    apply:
      steps:
        - run: tfgate atlantis apply --config /etc/tfgate/tfgate.toml
policies:
  owners: {users: [ann]}
  sticky_policy_approvals: true
  policy_item_regex: "(?m)^FAIL.*"
  policy_sets:
    - name: gate
      path: /etc/tfgate
      source: local
      prevent_self_approve: true
"""
FLAGS = ("atlantis", "server", "--enable-policy-checks")
RUN = "        - run: tfgate atlantis --config /etc/tfgate/tfgate.toml\n"


def found(
    tmp_path: Path, text: str = GOOD, flags: tuple[str, ...] = FLAGS, **env: str
) -> set[tuple[str, str, int | None]]:
    """Examine a repository configuration, and give danger, name and line of each finding."""
    path = tmp_path / "repos.yaml"
    path.write_text(text)
    return {
        (one.danger.value, one.name, one.line)
        for one in examine(Files(repos=str(path)), flags, env)
    }


def test_good_settings_are_left_alone(tmp_path: Path) -> None:
    """The example of the documentation is as good as it says."""
    assert found(tmp_path) == set()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("    workflow: gated\n", "", ("open", "no-tfgate", 2)),
        ("    workflow: gated\n", "    workflow: other\n", ("open", "no-tfgate", 6)),
        ("        - show\n", "", ("broken", "no-show", 12)),
        (RUN, "        - run: tfgate check $SHOWFILE\n", ("open", "no-tfgate", 10)),
        (RUN, f"{RUN}        - run: ./notify.sh\n", ("open", "other-step", 14)),
        (RUN, f"        - run: ./prepare.sh\n{RUN}", ("open", "other-step", 13)),
        (RUN, f"{RUN}        - run: tfgate check x\n", ("open", "exit-code", 14)),
        (RUN, f"{RUN}        - policy_check\n", ("open", "other-step", 14)),
        (RUN, f"{RUN}{RUN}", ("open", "more-steps-than-sets", 10)),
        (RUN, f"{RUN}{RUN}", ("weak", "several-steps", 10)),
        (
            RUN,
            "        - run: {command: tfgate atlantis --config /x, output: hide}\n",
            ("open", "output-changed", 13),
        ),
        (" --config /etc/tfgate/tfgate.toml\n    apply", "\n    apply", ("note", "no-config", 13)),
        (
            "/etc/tfgate/tfgate.toml\n    apply",
            "policy/tfgate.toml\n    apply",
            ("broken", "config-in-checkout", 13),
        ),
        ("atlantis apply", "check", ("weak", "apply-not-gated", 15)),
        ("    custom_policy_check: true\n", "", ("broken", "no-custom-policy-check", 2)),
        ("    policy_check: true\n", "    policy_check: false\n", ("open", "policy-check-off", 4)),
        (", policies_passed", "", ("weak", "policies-passed", 3)),
        (
            "    workflow: gated\n",
            "    workflow: gated\n    allowed_overrides: [custom_policy_check]\n",
            ("open", "override", 7),
        ),
        (
            "    workflow: gated\n",
            "    workflow: gated\n    allowed_overrides:\n      - workflow\n",
            ("open", "override", 8),
        ),
        (
            "    workflow: gated\n",
            "    workflow: gated\n    allow_custom_workflows: yes\n",
            ("open", "custom-workflows", 7),
        ),
        (
            "    - name: gate\n",
            "    - name: a\n    - name: b\n",
            ("open", "fewer-steps-than-sets", 10),
        ),
        ("prevent_self_approve: true", "approve_count: 2", ("weak", "self-approval", 22)),
        ("  owners: {users: [ann]}\n", "", ("note", "no-owners", 21)),
        ("  owners", "  approve_count: 0\n  owners", ("weak", "approve-count", 18)),
        ("(?m)^FAIL.*", "[0-9]+ failures", ("open", "policy-item-regex", 20)),
        ("(?m)^FAIL.*", "nothing", ("open", "policy-item-regex", 20)),
        ('  policy_item_regex: "(?m)^FAIL.*"\n', "", ("note", "policy-item-regex", 21)),
    ],
)
def test_each_trap_is_found_at_its_line(
    tmp_path: Path, old: str, new: str, expected: tuple[str, str, int]
) -> None:
    """One change of good settings, one trap."""
    assert old in GOOD
    assert expected in found(tmp_path, GOOD.replace(old, new, 1))


def test_no_policy_set_is_open(tmp_path: Path) -> None:
    """A verdict without a set is filed where no apply looks."""
    text = GOOD.partition("policies:")[0]
    assert ("open", "no-policy-sets", 1) in found(tmp_path, text)


def test_flags_of_the_server(tmp_path: Path) -> None:
    """From the command line and the environment alike."""
    assert ("open", "policy-checks-off", None) in found(tmp_path, flags=("atlantis", "server"))
    assert found(tmp_path, flags=(), ATLANTIS_ENABLE_POLICY_CHECKS="true") == set()
    assert ("note", "flags-unknown", None) in found(tmp_path, flags=())
    teams = (*FLAGS, "--gh-team-allowlist", "*:plan,ops:apply")
    assert ("open", "team-allowlist", None) in found(tmp_path, flags=teams)
    assert found(tmp_path, flags=(*teams[:-1], "*:plan,*:policy_check")) == set()


def test_a_configuration_that_the_flags_name_is_read(tmp_path: Path) -> None:
    """Also where it stands in a flag itself."""
    path = tmp_path / "named.yaml"
    path.write_text(GOOD)
    assert examine(Files(), (*FLAGS, f"--repo-config={path}"), {}) == []
    inline = '{"repos": [{"id": "/.*/", "policy_check": false}]}'
    names = {one.name for one in examine(Files(), (*FLAGS, "--repo-config-json", inline), {})}
    assert names >= {"policy-check-off", "no-policy-sets"}
    assert [one.danger for one in examine(Files(), FLAGS, {})] == [Danger.OPEN]


def test_later_entries_inherit_and_override(tmp_path: Path) -> None:
    """An entry for one repository takes the rest from the patterns before it."""
    more = "  - id: github.com/acme/lab\n    policy_check: false\nworkflows:"
    names = found(tmp_path, GOOD.replace("workflows:", more, 1))
    assert names == {("open", "policy-check-off", 8)}


def test_a_repository_of_its_own_mind(tmp_path: Path) -> None:
    """What its atlantis.yaml asks for, where the server lets it."""
    path = tmp_path / "atlantis.yaml"
    path.write_text(
        "version: 3\nprojects:\n  - dir: net\n    custom_policy_check: false\n    workflow: mine\n"
        "workflows:\n  mine:\n    plan: {steps: [init, plan]}\n"
    )
    got = {(one.name, one.line) for one in examine(Files(projects=str(path)), FLAGS, {})}
    assert got >= {("project-override", 4), ("project-workflow", 5), ("own-workflow", 8)}


@pytest.mark.parametrize("text", ["a: [", "\t- x", "a: b: c", "\x00"])
def test_what_is_no_yaml_is_said_to_be_none(text: str) -> None:
    """With the line where that is known."""
    with pytest.raises(UsageError, match="is not YAML"):
        parse_document(text, "repos.yaml")


def test_hostile_yaml_makes_nothing() -> None:
    """No tag makes an object, and aliases are not multiplied."""
    bomb = "a: &a [x, x]\n" + "".join(
        f"b{n}: &b{n} [*{'a' if n == 0 else f'b{n - 1}'}, *a]\n" for n in range(40)
    )
    assert parse_document(bomb, "x")["b39"].given
    assert parse_document("!!python/object/apply:os.system ['false']", "x").items[0].text == "false"
    loop = parse_document("a: &a {<<: *a, b: c}", "x")
    assert loop["a"]["b"].text == "c"
