"""What a refusal must be."""

from __future__ import annotations


def check_clear(error: Exception) -> None:
    """Check that an error says something, and can be written anywhere."""
    assert str(error).strip()
    assert str(error).encode()
