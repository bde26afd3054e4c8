"""``after`` with ``after_unknown``, and the redacted view: a table of shapes."""

from __future__ import annotations

from typing import Any

import pytest

from tfgate.plan.decoding import without_write_only
from tfgate.plan.values import merge, names_secret, redact, redact_named
from tfgate.query.values import SENSITIVE, UNKNOWN


@pytest.mark.parametrize(
    ("known", "unknown", "merged"),
    [
        ({"a": 1}, {}, {"a": 1}),
        ({"a": 1}, None, {"a": 1}),
        ({"a": 1}, False, {"a": 1}),
        ({"a": 1}, {"b": True}, {"a": 1, "b": UNKNOWN}),
        ({"a": 1}, {"a": True}, {"a": UNKNOWN}),
        ({"a": None}, {"a": {}}, {"a": None}),
        ({"a": None}, {"a": []}, {"a": None}),
        ({"a": None}, {"a": [False]}, {"a": None}),
        ({"a": {}}, {"a": {"b": {"c": True}}}, {"a": {"b": {"c": UNKNOWN}}}),
        ({}, {"a": {"b": True}}, {"a": {"b": UNKNOWN}}),
        ({"a": [1, None, 3]}, {"a": [False, True, False]}, {"a": [1, UNKNOWN, 3]}),
        ([{"x": 1}, {"x": 2}], [{}, {"y": True}], [{"x": 1}, {"x": 2, "y": UNKNOWN}]),
        ({"a": []}, {"a": True}, {"a": UNKNOWN}),
        ({}, True, UNKNOWN),
        (None, True, UNKNOWN),
        (None, {}, None),
        (None, {"id": True}, {"id": UNKNOWN}),
        # Terraform before 1.1 left unknown elements of sets and tuples out of after.
        ({"a": [1, 3]}, {"a": [False, True, False]}, {"a": [1, UNKNOWN, 3]}),
        ({"a": []}, {"a": [True]}, {"a": [UNKNOWN]}),
        ({"a": None}, {"a": [True]}, {"a": [UNKNOWN]}),
        ({"a": [{"x": 1}]}, {"a": [True, {"y": True}]}, {"a": [UNKNOWN, {"x": 1, "y": UNKNOWN}]}),
        # Shapes that do not fit together are unknown, never guessed.
        ({"a": [1]}, {"a": [False, False, True]}, {"a": UNKNOWN}),
        ({"a": 1}, {"a": {"b": True}}, {"a": UNKNOWN}),
        ({"a": {"b": 1}}, {"a": [True]}, {"a": UNKNOWN}),
        ({"a": [1, 2]}, {"a": [True]}, {"a": [UNKNOWN, 2]}),
    ],
)  # fmt: skip
def test_merge(known: Any, unknown: Any, merged: Any) -> None:
    """One unknown element does not hide its known siblings; absent and null stay apart."""
    assert merge(known, unknown) == merged


@pytest.mark.parametrize(
    ("value", "marks", "shown"),
    [
        ({"a": 1}, False, {"a": 1}),
        ({"a": 1}, {}, {"a": 1}),
        ({"a": 1}, None, {"a": 1}),
        ({"a": 1}, True, SENSITIVE),
        ({"a": 1, "b": 2}, {"a": True}, {"a": SENSITIVE, "b": 2}),
        ({"a": {"b": {"c": 1}}}, {"a": True}, {"a": SENSITIVE}),
        ({"a": [1, 2]}, {"a": [False, True]}, {"a": [1, SENSITIVE]}),
        ({"a": UNKNOWN}, {"a": True}, {"a": SENSITIVE}),
        ({"a": UNKNOWN}, {"a": {"b": True}}, {"a": UNKNOWN}),
        ({}, {"a": True}, {"a": SENSITIVE}),
        # Marks that do not fit hide all they might have meant.
        ({"a": [1, 2, 3]}, {"a": [True]}, {"a": SENSITIVE}),
        ({"a": "s"}, {"a": {"b": True}}, {"a": SENSITIVE}),
        ({"a": {"b": 1}}, {"a": [True]}, {"a": SENSITIVE}),
    ],
)
def test_redact(value: Any, marks: Any, shown: Any) -> None:
    """Nothing below a mark is left: no value, no key, no length."""
    result = redact(value, marks)
    assert repr(result) == repr(shown)


def test_members_stand_in_terraforms_order() -> None:
    """`(*)[0]` is the same value once all is known: Terraform sorts keys, unknown ones too."""
    merged = merge({"b": 1, "d": {"x": 2}}, {"c": True, "a": True, "d": {"w": True}})
    assert [*merged] == ["a", "b", "c", "d"]
    assert [*merged["d"]] == ["w", "x"]


def test_nothing_is_changed_in_place() -> None:
    """The evaluator's view and the redacted one are made from the same parts."""
    value = {"a": {"b": [1]}, "c": 2}
    merge(value, {"a": {"b": [True]}})
    redact(value, {"a": {"b": [True]}})
    redact_named({"password": value})
    assert value == {"a": {"b": [1]}, "c": 2}


def test_null_write_only_arguments_are_unknown() -> None:
    """A plan has null for them whatever was given."""
    value = {"password_wo": None, "password_wo_version": None, "b": [{"key_wo": None}]}
    assert without_write_only(value) == {
        "password_wo": UNKNOWN,
        "password_wo_version": None,
        "b": [{"key_wo": UNKNOWN}],
    }


@pytest.mark.parametrize(
    "name",
    [
        "password", "master_password", "adminPassword", "secret", "client_secret", "api_token",
        "token", "private_key", "privateKeyPem", "access_key", "secret_key", "api_key", "apiKey",
        "credentials", "connection_string", "passphrase", "db-password", "DB_PASSWORD", "passwd",
        "auth",
    ],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    """The list knows the usual names in the usual spellings."""
    assert names_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "bucket", "kms_master_key_id", "http_tokens", "key_name", "partition_key", "tokenizer",
        "bypass", "compass", "region", "author", "pinned", "public_key", "passive",
    ],
)  # fmt: skip
def test_names_of_no_secrets(name: str) -> None:
    """A list that hid everything would hide the finding."""
    assert not names_secret(name)
