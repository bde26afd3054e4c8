"""Clean strings that came from the environment, a file or another program."""

from __future__ import annotations

LONGEST = 256
"""Characters that are kept of one value: longer than any login, key or URL met in practice."""

_REPLACED = "�"


def clean(value: object, longest: int = LONGEST) -> str:
    """Give ``value`` as one line without control, format or surrogate characters.

    Those (Unicode categories C*) become U+FFFD, surrounding white space goes, and what is longer
    than ``longest`` characters is cut and ends in ``…``. Anything but a string, an integer or a
    boolean gives ``""``.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if value.bit_length() < 256 else ""
    if not isinstance(value, str):
        return ""
    text = value[: longest * 4].strip()
    if not (text.isascii() and text.isprintable()):
        import unicodedata  # late: most values are plain

        text = "".join(c if unicodedata.category(c)[0] != "C" else _REPLACED for c in text)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def public_url(value: object) -> str:
    """Give a URL without user, password, query and fragment: any of them may be a secret.

    What is not a URL (a path, a host, git's ``user@host:path``) comes back without anything that
    stands before an ``@`` and holds a colon (``user:token@host``).
    """
    text = clean(value, 1024)
    if "://" not in text:
        before, at, after = text.rpartition("@")
        return clean(after if at and ":" in before else text)
    # Late: it costs 2 ms, and most values are no URL.
    from urllib.parse import urlsplit, urlunsplit

    try:
        parts = urlsplit(text)
        host = parts.netloc.rpartition("@")[2]
        return clean(urlunsplit((parts.scheme, host, parts.path, "", "")))
    except ValueError:
        return ""
