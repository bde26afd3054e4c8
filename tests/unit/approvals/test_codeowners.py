"""``CODEOWNERS``: the last line that fits names the owners, as GitHub's documentation has it."""

from __future__ import annotations

import pytest

from tfgate.approvals.codeowners import parse

# What each pattern means: docs.github.com, "About code owners", "CODEOWNERS syntax".
FILE = b"""
* @all
*.js @js # comment
/build/logs/ @logs
docs/* docs@acme.example
apps/ @octocat
/scripts/ @a @acme/b
**/deep @deep
/apps/github
with\\ space.tf @space
/mod/**/net.tf @net
[ab].tf @never
!no.tf @never
/bad.tf @good not-an-owner
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("main.tf", ["@all"]),
        ("src/x.js", ["@js"]),
        ("build/logs/a/b.txt", ["@logs"]),
        ("x/build/logs/a.txt", ["@all"]),
        ("docs/a.md", ["docs@acme.example"]),
        ("docs/sub/a.md", ["@all"]),
        ("sub/docs/a.md", ["@all"]),
        ("sub/apps/a.tf", ["@octocat"]),
        ("scripts/x/y.sh", ["@a", "@acme/b"]),
        ("build/deep/log.txt", ["@deep"]),
        ("deep/log.txt", ["@deep"]),
        ("apps/github", []),
        ("apps/github/x.tf", []),
        ("apps/github2/x.tf", ["@octocat"]),
        ("with space.tf", ["@space"]),
        ("mod/net.tf", ["@net"]),
        ("mod/a/b/net.tf", ["@net"]),
        ("a.tf", ["@all"]),
        ("bad.tf", ["@all"]),
        ("new\nline.tf", ["@all"]),
    ],
)
def test_whose_it_is(path: str, owners: list[str]) -> None:
    """A line that GitHub passes over is passed over here."""
    assert list(parse(FILE)(path)) == owners


def test_what_is_too_large_names_nobody() -> None:
    """GitHub reads no file above 3 MB."""
    assert list(parse(b"* @all\n" + b"#" * (3 * 1024 * 1024))("a")) == []


def test_many_stars_cost_linear_time() -> None:
    """A pattern that backtracking would never end on."""
    assert list(parse(b"*a*a*a*a*a*a*a*a*a*a*b @x")("a" * 4_000)) == []
