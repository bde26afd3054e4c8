"""What looks like a secret, and what does not."""

from __future__ import annotations

import pytest

from tfgate.hcl.secrets import is_secret_name, looks_secret


def made(*parts: str) -> str:
    """Put a secret together, so that none stands in this file for scanners to find."""
    return "".join(parts)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (made("AKIA", "IOSFODNN7EXAMPLE"), "an AWS access key"),
        (made("-----BEGIN RSA ", "PRIVATE KEY-----\nMIIE\n"), "a private key"),
        (made("-----BEGIN ", "PRIVATE KEY-----"), "a private key"),
        (made("-----BEGIN PGP ", "PRIVATE KEY BLOCK-----"), "a private key"),
        (made("ghp_", "a1B2" * 9), "a GitHub token"),
        (made("github_pat_", "a1B2_" * 12), "a GitHub token"),
        (made("glpat-", "a1B2c3D4e5F6g7H8i9J0"), "a GitLab token"),
        (made("xoxb-", "123456789012-abcdefABCDEF"), "a Slack token"),
        (
            made("eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxMjM0In0", ".abcDEF123_-xyz"),
            "a JSON web token",
        ),
        (made("AIza", "SyA1234567890abcdefghijklmnopqrstuv"), "a Google API key"),
        (made("hvs.", "CAESIJ1234567890abcdefghij"), "a HashiCorp token"),
        (made("postgres://admin:", "s3cr3tPw@db.example/x"), "a password in a URL"),
        (made("wJalrXUtnFEMI/K7MDENG/", "bPxRfiCYEXAMPLEKEY"), "a random string"),
        (made("9f86d081884c7d65", "9a2feaa0c55ad015"), "a random string"),
    ],
)
def test_secrets_are_told_by_kind_and_never_shown(value: str, kind: str) -> None:
    """The answer holds no part of the value."""
    assert looks_secret(value) == kind
    assert value[:8] not in kind


@pytest.mark.parametrize(
    "value",
    [
        "",
        None,
        3,
        ["x"],
        "t3.micro",
        "arn:aws:iam::123456789012:role/some-role-with-a-long-name",
        "projects/my-project/locations/europe-west1/keyRings/ring/cryptoKeys/key",
        "ami-0c55b159cbfafe1f0",
        "123e4567-e89b-12d3-a456-426614174000",
        "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg",
        "the quick brown fox jumps over the lazy dog and runs away from it all",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "https://example.com/a/long/path/to/some/page",
        "postgres://db.example:5432/x",
        "https://user:${var.password}@example.com",
        "roles/cloudkms.cryptoKeyEncrypterDecrypter",
        "git::https://example.com/network.git?ref=51d462976d84fdea54b47d80dcabbf680badcdb8",
        "-----BEGIN CERTIFICATE-----\nMIIE",
        "AWSServiceRoleForElasticLoadBalancing",
    ],
)
def test_ordinary_values_are_no_secrets(value: object) -> None:
    """Names, addresses, ids, digests in plain sight."""
    assert looks_secret(value) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("password", True),
        ("master_password", True),
        ("client_secret", True),
        ("secret_key", True),
        ("api_key", True),
        ("apikey", True),
        ("token", True),
        ("auth_token", True),
        ("connection_string", True),
        ("secret_arn", False),
        ("password_length", False),
        ("token_ttl", False),
        ("tokens_per_minute", False),
        ("kms_key_id", False),
        ("name", False),
    ],
)
def test_names_of_secrets(name: str, expected: bool) -> None:
    """By the name alone; what a name says about a secret is none."""
    assert is_secret_name(name) is expected


def test_long_values_cost_little() -> None:
    """A hostile literal of a megabyte takes no visible time."""
    for piece in ("a", "A1b", "eyJ", "x://a:", "-----BEGIN "):
        looks_secret(piece * (1_000_000 // len(piece)))


def test_a_run_of_letters_takes_no_longer_than_it_is_long() -> None:
    """Whoever writes a literal must not be able to hang who looks at it."""
    from tests.support.fuzzing.limits import bounded_time

    with bounded_time(2.0):
        for run in ("a" * 200, "aB" * 100, "A" + "a" * 199, "Aa" * 100):
            assert looks_secret(f"{run[:199]}=") is None
            assert looks_secret(run) is None
        for text in ("-----BEGIN " + "A " * 50_000, "a" * 20 + "://" + "b" * 99_000, "." * 100_000):
            looks_secret(text)
