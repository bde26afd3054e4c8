"""The ``[[identity.issuers]]`` tables: whose tokens prove who runs the gate."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from tfgate.model import Frozen
from tfgate.model.text import glob_matches, late
from tfgate.ruleset.issuer_presets import PRESETS, Preset, PresetName
from tfgate.ruleset.problems import show_name
from tfgate.ruleset.settings import place
from tfgate.ruleset.strict import INVALID, Choice, Integer, Key, ListOf, MapOf, Table, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tfgate.errors import Problem
    from tfgate.ruleset.files import TomlFile
    from tfgate.ruleset.problems import KeyPath, Problems
    from tfgate.ruleset.strict import Schema

_LINE: Final = Text(most=1_000, one_line=True)
_CLAIM: Final = Text(
    'the path of a claim: actor, or "kubernetes.io".namespace for one that is nested',
    r'(?:[^".{}\s]{1,200}|"[^"]{1,200}")(?:\.(?:[^".{}\s]{1,200}|"[^"]{1,200}"))*',
    most=500,
    one_line=True,
)
_STEP: Final = late(r'"([^"]+)"|([^".]+)')
_FIELD: Final = late(r"\{([^{}]*)\}")


class _OneOrMore(Frozen, frozen=True):
    """A text, or an array of texts; read as a tuple."""

    plain: bool = False
    """Whether a boolean or a number may stand there: it is read as it is written."""

    def read(self, value: object, at: KeyPath, problems: Problems) -> Any:
        if isinstance(value, list):
            return ListOf(_LINE, least=1).read([*map(self._text, value)], at, problems)
        read = _LINE.read(self._text(value), at, problems)
        return read if read is INVALID else (read,)

    def _text(self, value: object) -> object:
        if not self.plain or not isinstance(value, (bool, int)):
            return value
        return str(value).lower()

    def schema(self) -> Schema:
        one = _LINE.schema()
        if self.plain:
            one = {"anyOf": [one, {"type": ["boolean", "integer"]}]}
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


ISSUER: Final = Table(
    "an issuer",
    {
        "name": Key(
            Text("a name of letters, digits, _ and -", r"[A-Za-z_][A-Za-z0-9_-]{0,49}"),
            "Its name, which records have as the source of the operator. Default: the preset's.",
        ),
        "preset": Key(
            Choice(PresetName),
            "System whose tokens these are: says issuer, operator and claims, and how a token is "
            "got.",
        ),
        "issuer": Key(
            _LINE,
            "Address of the issuer, exactly as in the tokens (iss). Its keys are found from there.",
        ),
        "audience": Key(
            _OneOrMore(),
            "Whom its tokens must be made for (aud). Default: tfgate:NAME, by identity.name.",
        ),
        "operator": Key(
            _LINE,
            "Template of the operator's name, of claims in braces: {actor}@github, {email}.",
        ),
        "conditions": Key(
            MapOf(_OneOrMore(plain=True), _CLAIM),
            "Claims that a token must have: the path of a claim, and globs of which one must fit. "
            "Of an array one element must fit; true and numbers are compared as they are written.",
            default={},
        ),
        "claims": Key(
            ListOf(_CLAIM),
            "Claims that records keep. The issuer's address, sub and jti are always kept.",
        ),
        "client_id": Key(
            _LINE,
            "Client by which people log in with tfgate login (device flow, no secret). Tokens of "
            "such a login are made for it.",
        ),
        "authorized_party": Key(
            _OneOrMore(),
            "Clients that a token may have been made for (azp). Without it, a token for several "
            "audiences is refused.",
            default=(),
        ),
        "keys": Key(
            _LINE, "File with the issuer's keys (a JWK set). With it no network is asked."
        ),
        "keys_hosts": Key(
            ListOf(_LINE),
            "Hosts beside the issuer's own that its discovery document may name for its keys.",
        ),
        "ca_file": Key(
            _LINE, "PEM file of the authorities that vouch for the issuer's host. Default: the "
            "system's."
        ),
        "token_env": Key(
            Text(
                "a variable whose name begins with TFGATE_IDENTITY_TOKEN",
                r"TFGATE_IDENTITY_TOKEN[A-Z0-9_]{0,100}",
            ),
            "Variable that holds the token of this issuer, instead of TFGATE_IDENTITY_TOKEN. "
            "Terraform gets none of them.",
        ),
        "token_file": Key(_LINE, "File that holds the token."),
        "max_hours": Key(
            Integer(1, 8_760), "How many hours after it was made (iat) a token is believed.",
            default=24,
        ),
    },
)  # fmt: skip


class Issuer(Frozen, frozen=True):
    """An issuer whose tokens prove who runs the gate."""

    name: str
    """What records have as the operator's ``source``."""
    issuer: str
    """Exactly the ``iss`` of its tokens; https, unless ``keys`` is a file."""
    audience: tuple[str, ...]
    """A token must be made for one of them."""
    operator: str
    """Template of the operator's name: ``{actor}@github``."""
    conditions: Mapping[str, tuple[str, ...]] = {}
    """Path of a claim → globs of which one must fit."""
    claims: tuple[str, ...] = ()
    """Paths of the claims that records keep."""
    client_id: str | None = None
    """Client of ``tfgate login``: the audience of its tokens."""
    authorized_party: tuple[str, ...] = ()
    keys: Path | None = None
    """File of its keys; without one they are found from ``issuer``."""
    keys_hosts: tuple[str, ...] = ()
    ca_file: Path | None = None
    preset: PresetName | None = None
    token_env: str | None = None
    token_file: Path | None = None
    max_hours: int = 24


def claim_path(text: str) -> tuple[str, ...]:
    """Split the path of a claim into steps: ``"kubernetes.io".namespace`` has two."""
    return tuple(quoted or plain for quoted, plain in _STEP.findall(text))


def template_claims(template: str) -> tuple[str, ...]:
    """Return the paths of the claims that a template of a name uses, in order."""
    return tuple(_FIELD.findall(template))


def read_issuers(
    file: TomlFile,
    tables: Sequence[Mapping[str, Any]],
    folder: Path,
    home: str | None,
    gate: str | None,
    problems: list[Problem],
) -> tuple[Issuer, ...]:
    """Return the issuers; mistakes of them are reported.

    ``gate`` is the value of ``identity.name``.
    """
    found = file.problems()
    names: set[str] = set()
    issuers = []
    for number, table in enumerate(tables):
        at = ("identity", "issuers", number)
        preset = PRESETS.get(table["preset"])
        issuer = _issuer(table, preset, folder, home, gate)
        for key, mistake in _mistakes(issuer, preset):
            found.add(mistake, (*at, key) if table.get(key) else at)
        if issuer.name in names:
            found.add(f"there are two issuers {show_name(issuer.name)}: give one a name", at)
        names.add(issuer.name)
        issuers.append(issuer)
    problems += found.done()
    return tuple(issuers)


def _issuer(
    table: Mapping[str, Any],
    preset: Preset | None,
    folder: Path,
    home: str | None,
    gate: str | None,
) -> Issuer:
    def path(key: str) -> Path | None:
        return None if table[key] is None else place(table[key], folder, home)

    base = preset or Preset()
    own = (f"tfgate:{gate}",) if gate else ()
    client = (table["client_id"],) if table["client_id"] else ()
    audience = (base.audience,) if base.audience else own or client
    return Issuer(
        name=table["name"] or (str(table["preset"]) if preset else ""),
        issuer=table["issuer"] or base.issuer or "",
        audience=table["audience"] or audience,
        operator=table["operator"] or base.operator,
        conditions={**base.conditions, **table["conditions"]},
        claims=base.claims if table["claims"] is None else table["claims"],
        client_id=table["client_id"],
        authorized_party=table["authorized_party"],
        keys=path("keys"),
        keys_hosts=base.keys_hosts if table["keys_hosts"] is None else table["keys_hosts"],
        ca_file=path("ca_file"),
        preset=table["preset"],
        token_env=table["token_env"],
        token_file=path("token_file"),
        max_hours=table["max_hours"],
    )


def _mistakes(issuer: Issuer, preset: Preset | None) -> Iterator[tuple[str, str]]:
    """Yield each mistake with the key it is about."""
    if not issuer.name:
        yield "name", "an issuer needs the key name, or a preset"
    if not issuer.issuer:
        pattern = f" (for this preset: {preset.issuer_pattern})" if preset else ""
        yield "issuer", f"an issuer needs the key issuer{pattern}"
    elif wrong := _wrong_issuer(issuer):
        yield "issuer", wrong
    if not issuer.audience:
        yield (
            "audience",
            "an issuer needs the key audience, or identity.name, which makes it tfgate:NAME",
        )
    if not issuer.operator:
        yield "operator", "an issuer needs the key operator, as in {email}"
    elif wrong := _wrong_template(issuer.operator):
        yield "operator", wrong
    if preset is not None and preset.tenants and not _is_bound(issuer, preset.tenants):
        ways = ", ".join(preset.tenants)
        wrong = f"everybody can get a token of {issuer.issuer}: name your own part of it in "
        yield "conditions", f"{wrong}conditions by one of {ways}, without a wildcard in that part"


def _wrong_issuer(issuer: Issuer) -> str | None:
    try:
        parts = urlsplit(issuer.issuer)
        _ = parts.port
    except ValueError:
        return "is not an address such as https://login.acme.example"
    if issuer.keys is not None and parts.scheme != "https":
        return None  # tokens of a cluster may have any issuer
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        return "is not an address such as https://login.acme.example"
    if parts.username is not None or parts.password is not None:
        return "has a name or a password in it"
    return None


def _wrong_template(template: str) -> str | None:
    rest = _FIELD.sub("", template)
    paths = template_claims(template)
    if "{" in rest or "}" in rest or not paths:
        return "needs a claim in braces, as in {email} or {actor}@github"
    pattern = _CLAIM.pattern or ""
    wrong = next((path for path in paths if not re.fullmatch(pattern, path)), None)
    return None if wrong is None else f"{{{wrong}}} is not {_CLAIM.words}"


def _is_bound(issuer: Issuer, tenants: Mapping[str, str]) -> bool:
    """Whether a condition says which part of a system that everybody may use is the owner's."""
    return any(
        globs and all(_fixes(glob, until) for glob in globs)
        for claim, until in tenants.items()
        if (globs := issuer.conditions.get(claim))
    )


def _fixes(glob: str, until: str) -> bool:
    """Whether a glob stands for itself alone as far as ``until`` says (`Preset.tenants`)."""
    pieces = re.split(r"[*?]", glob)
    if len(pieces) == 1:
        return True
    if until == "@":
        return "@" in pieces[-1]
    return bool(until) and glob_matches(f"{until}*", pieces[0])
