"""Plan JSON → `Plan`, or one sentence that says why not."""

from __future__ import annotations

import codecs
import gc
import hashlib
import re
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from tfgate.errors import PlanError, SeveralDocumentsError
from tfgate.model.text import late
from tfgate.plan import lists
from tfgate.plan.change import LONGEST_NAME, Context
from tfgate.plan.configuration import Configuration
from tfgate.plan.decoding import decode_value, part_error, too_deep, wrong_shape
from tfgate.plan.other_changes import Planned, check_whole
from tfgate.plan.plan import Plan, Top, variable_values
from tfgate.plan.repeated import check_plan, shown

if TYPE_CHECKING:
    from collections.abc import Iterator


# --- The SHA-256 of a plan, computed while it is being decoded.


_LARGE: Final = 1 << 20
"""Bytes from which a thread of its own is worth starting. Hashing releases the GIL."""


class Digest:
    """SHA-256 of some bytes, started at once and ready when asked for."""

    __slots__ = ("_hash", "_thread")

    def __init__(self, data: bytes) -> None:
        self._hash = hashlib.sha256()
        self._thread: threading.Thread | None = None
        if len(data) < _LARGE:
            self._hash.update(data)
        else:
            self._thread = threading.Thread(target=self._hash.update, args=(data,), daemon=True)
            self._thread.start()

    def hex(self) -> str:
        """Wait for it and give it in hexadecimal digits."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        return self._hash.hexdigest()


# --- Plan bytes as they come from a file or a pipe → the UTF-8 that JSON is written in.


_PIECE: Final = 1 << 20
"""Bytes checked at a time, so that checking a large plan does not double it."""


class _Encoding(NamedTuple):
    """An encoding of JSON other than UTF-8, and how a text in it begins."""

    name: str
    codec: str
    mark: bytes
    """The byte order mark."""
    zeros: tuple[bool, ...]
    """Without one: which of the first bytes are zero. JSON begins with an ASCII character, and a
    plan's second one is ASCII as well (RFC 4627, section 3)."""


_OTHERS: Final = (
    _Encoding("UTF-32", "utf-32-le", codecs.BOM_UTF32_LE, (False, True, True, True)),
    _Encoding("UTF-32", "utf-32-be", codecs.BOM_UTF32_BE, (True, True, True, False)),
    _Encoding("UTF-16", "utf-16-le", codecs.BOM_UTF16_LE, (False, True, False, True)),
    _Encoding("UTF-16", "utf-16-be", codecs.BOM_UTF16_BE, (True, False, True, False)),
)
"""UTF-32 first: its mark begins with that of UTF-16."""


def to_utf8(data: bytes) -> bytes:
    """Return ``data`` as UTF-8 without a byte order mark; plain UTF-8 is returned as it is.

    Accepted are UTF-8, UTF-16 (what ``>`` writes in Windows PowerShell) and UTF-32, with or
    without a byte order mark. Raises PlanError for anything else, naming the first wrong byte.
    """
    for encoding in _OTHERS:
        if data.startswith(encoding.mark):
            return _decoded(data, encoding, len(encoding.mark))
    if b"\0" in data[:4]:
        zeros = tuple(byte == 0 for byte in data[:4])
        for encoding in _OTHERS:
            if zeros == encoding.zeros:
                return _decoded(data, encoding, 0)
    data = data.removeprefix(codecs.BOM_UTF8)
    _check_utf8(data)
    return data


def _decoded(data: bytes, encoding: _Encoding, skip: int) -> bytes:
    try:
        return str(memoryview(data)[skip:], encoding.codec).encode()
    except UnicodeDecodeError as error:
        at = error.start + skip
        raise PlanError(f"The text is not valid {encoding.name} at byte {at}. {RECODE}") from None


def _check_utf8(data: bytes) -> None:
    if data.isascii():
        return
    decoder = codecs.getincrementaldecoder("utf-8")()
    start = 0
    try:
        for start in range(0, len(data), _PIECE):
            decoder.decode(data[start : start + _PIECE], start + _PIECE >= len(data))
    except UnicodeDecodeError as error:
        kept = len(decoder.getstate()[0]) if start else 0
        at = start - kept + error.start
        raise PlanError(f"The text is not valid UTF-8 at byte {at}. {RECODE}") from None


RECODE: Final = (
    "Save the output of `terraform show -json PLANFILE` as UTF-8, without editing it; in Windows "
    "PowerShell: `terraform show -json PLANFILE | Out-File -Encoding utf8 plan.json`."
)


# --- What was handed in by mistake: one sentence that says what it is and what to do.


SHOW: Final = "Pass the output of `terraform show -json PLANFILE`."
_HEAD: Final = 4096
"""Bytes at the beginning that are looked at."""

_BYTE: Final = late(r"\(byte (\d+)\)$")
_HCL: Final = late(
    # Its parts exclude each other, so that there is one way to read a row of comments.
    rb"(?:\s|#[^\n]*\n|//[^\n]*\n|/\*[^*]*\*+(?:[^/*][^*]*\*+)*/)*"
    rb"(?:terraform|resource|data|provider|variable|output|module|locals|moved|import|check"
    rb"|removed|action|ephemeral)\b[^\n{]*\{",
    re.DOTALL,
)
_HUMAN: Final = late(
    rb"(?:Terraform|OpenTofu) (?:used the selected|will perform|detected|has compared|v\d)"
    rb"|No changes\.|Plan: \d|execution plan|Refreshing state\.\.\."
)
_PAIR: Final = late(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..", re.DOTALL)

PARTS: Final = (
    "planned_values",
    "resource_changes",
    "output_changes",
    "resource_drift",
    "deferred_changes",
)
"""A plan has at least one of these; one without changes has ``planned_values`` alone."""


def check_not_binary(data: bytes) -> None:
    """Raise PlanError for a binary plan file."""
    if data.startswith(b"PK\x03\x04"):
        raise PlanError(
            "This is a binary plan file, and plan JSON is expected here.",
            hint="Run `terraform show -json PLANFILE` on it, or pass its path.",
        )


def check_not_empty(text: bytes) -> None:
    """Raise PlanError for an input with nothing in it."""
    if not text or text.isspace():
        raise PlanError("The plan is empty.", hint=f"Nothing was planned, or nothing read. {SHOW}")


def undecodable(text: bytes, error: Exception) -> PlanError:
    """Return what a text is that does not decode as a plan."""
    if isinstance(error, RecursionError):
        return too_deep(None)
    if isinstance(error, msgspec.ValidationError):
        return part_error(error, "")
    head = text[:_HEAD]
    if _is_log(head):
        return PlanError(
            "This is the log that `terraform plan -json` prints, not a plan.", hint=LOG
        )
    if head.lstrip()[:1] not in (b"{", b"["):
        return _other_text(head)
    return _broken_json(text, str(error))


def not_a_plan(keys: frozenset[str]) -> PlanError:
    """Return what a JSON object is that lacks what every plan has."""
    if "@level" in keys and "@message" in keys:
        return PlanError("This is a line of the log of `terraform plan -json`.", hint=LOG)
    if "lineage" in keys or "serial" in keys or "values" in keys:
        return PlanError("This is a state, not a plan.", hint=f"Make a plan. {SHOW}")
    if "provider_schemas" in keys:
        return PlanError("These are provider schemas, not a plan.", hint=SHOW)
    if "format_version" not in keys:
        return PlanError("This JSON is no Terraform plan: it has no format_version.", hint=SHOW)
    return PlanError(
        f"This JSON is no Terraform plan: it has none of {', '.join(PARTS)}.", hint=SHOW
    )


def _is_log(head: bytes) -> bool:
    line = head.lstrip().partition(b"\n")[0]
    return line.startswith(b"{") and b'"@level"' in line and b'"@message"' in line


def _other_text(head: bytes) -> PlanError:
    if _HCL.match(head):
        return PlanError("This is Terraform configuration (HCL), not a plan.", hint=MAKE)
    if _HUMAN.search(head):
        return PlanError("This is the plan as Terraform prints it for people.", hint=MAKE)
    return PlanError("This is no JSON, so it is no plan.", hint=MAKE)


def _broken_json(text: bytes, problem: str) -> PlanError:
    found = _BYTE.search(problem)
    if found is None or "surrogate" in problem or "escape" in problem:
        lone = lone_surrogate(text)
        if lone is not None:
            return PlanError(f"The JSON has half of a surrogate pair at byte {lone}.", hint=AGAIN)
    if found is None:
        return PlanError(f"The plan is cut off: its JSON ends at byte {len(text)}.", hint=AGAIN)
    at = int(found[1])
    if "trailing" in problem:
        at -= 1  # msgspec names the byte after it
        if text[at : at + 1] in (b"{", b"["):
            return SeveralDocumentsError(
                f"There is more than one JSON document, the second from byte {at} on.", hint=ONE
            )
        return PlanError(f"Text follows the plan's JSON, from byte {at} on.", hint=AGAIN)
    word = re.search(rb"-?(?:NaN|Infinity)", text[max(at - 2, 0) : at + 10])
    what = f"{word[0].decode()} is not JSON" if word else "The plan is not valid JSON"
    return PlanError(f"{what} (byte {at}).", hint=AGAIN)


def lone_surrogate(text: bytes) -> int | None:
    """Byte offset of a ``\\ud800``-like escape that has no other half; None if there is none."""
    pairs = {match.start() for match in _PAIR.finditer(text)}
    for match in re.finditer(rb"\\(?:u([dD][89abcdefABCDEF]..)|.)", text, re.DOTALL):
        start = match.start()
        if match[1] is not None and start not in pairs and start - 6 not in pairs:
            return start
    return None


LOG: Final = (
    "Run `terraform plan -out=PLANFILE`, then pass the output of `terraform show -json PLANFILE`."
)
MAKE: Final = LOG
AGAIN: Final = "Make it again with `terraform show -json PLANFILE`, and pass it whole and unedited."
ONE: Final = (
    "Pass one plan at a time: `terragrunt run-all` prints one after the other; split them first."
)


# --- Which versions of the plan format are read.


NEWEST_MINOR: Final = {0: 2, 1: 2}
"""Major version → the newest minor version known: 0.1 is Terraform 0.12, 1.2 is Terraform 1.5."""

_VERSION: Final = re.compile(r"(\d{1,4})\.(\d{1,4})")


def check_version(value: Any) -> tuple[str, int, str | None]:
    """Return the format version, its major number, and a warning where its minor one is new.

    "Reject any input which reports an unsupported major version", and ignore what is not known of
    a newer minor one (JSON Output Format, introduction). Raises PlanError.
    """
    found = _VERSION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise PlanError('expected a string such as "1.2".', where="format_version", hint=_HINT)
    version, major, minor = found[0], int(found[1]), int(found[2])
    if major not in NEWEST_MINOR:
        raise PlanError(
            f"version {version} of the plan format is not known to this tfgate.",
            where="format_version",
            hint="Use a newer tfgate.",
        )
    if minor <= NEWEST_MINOR[major]:
        return version, major, None
    newest = f"{major}.{NEWEST_MINOR[major]}"
    return version, major, f"The plan's format version is {version}; {newest} is the newest known."


_HINT: Final = "Make the plan JSON again with `terraform show -json PLANFILE`."


_TOP: Final = msgspec.json.Decoder(Top)
_SPREAD: Final = re.compile(rb'[{,][ \t\r\n]|":[ \t\r\n]')
_PLAN_HEAD: Final = 200
"""Bytes at the beginning that show whether somebody has laid the JSON out for reading."""
_ARCHIVED: Final = b'"tfgate_archive"'
_FACTS: Final = {
    "terraform_version": (str, "a string"),
    "timestamp": (str, "a string"),
    "complete": (bool, "true or false"),
    "applyable": (bool, "true or false"),
    "errored": (bool, "true or false"),
}


def read_plan(data: bytes, *, name: str = "plan.json") -> Plan:
    """Read the output of ``terraform show -json PLANFILE``.

    ``name`` is what errors call the input. Time and memory follow the size of ``data`` (which the
    plan keeps) and the number of changes, not what is in them: values stay bytes until a document
    is asked for. Raises PlanError, with one sentence, for whatever is not a whole, unambiguous
    plan of a known format: values that turn out malformed later raise PlanError then.
    """
    try:
        with _without_garbage_collection():
            return _read(data)
    except PlanError as error:
        named = type(error)(f"{shown(name)}: {error.message}", hint=error.hint)
        named.where = error.where
        raise named from None


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Keep the collector from walking some ten thousand new objects that make no cycles."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _read(data: bytes) -> Plan:
    check_not_binary(data)
    digest = Digest(data)
    text = to_utf8(data)
    check_not_empty(text)
    if _SPREAD.search(text[:_PLAN_HEAD]):
        if _ARCHIVED in text[: 10 * _PLAN_HEAD]:
            raise PlanError(
                "This is a plan out of tfgate's archive that was formatted anew, which spoils the "
                "marks of its sensitive values.",
                hint="Take the file as it is in the archive.",
            )
        text = _compact(text)
    top = _decode_top(text)
    check_plan(text, top.kept(), top.resource_changes)
    _check_is_plan(text, top)
    version, major, warning = check_version(decode_value(top.format_version, "format_version"))
    return _build(top, digest, version, by_name=major == 0, warnings=(warning,) if warning else ())


def _compact(text: bytes) -> bytes:
    """Take the white space out, once: everything after goes over less text, and in one pass."""
    try:
        return msgspec.json.format(text, indent=-1)
    except (ValueError, RecursionError) as error:
        raise undecodable(text, error) from None


def _decode_top(text: bytes) -> Top:
    try:
        return _TOP.decode(text)
    except (ValueError, RecursionError) as error:
        raise undecodable(text, error) from None


def _check_is_plan(text: bytes, top: Top) -> None:
    parts = top.kept().keys() | (
        {"resource_changes"} if top.resource_changes is not None else set()
    )
    if "format_version" not in parts or parts.isdisjoint(PARTS):
        keys = frozenset(msgspec.json.decode(text, type=dict[str, msgspec.Raw]))
        raise not_a_plan(keys)


def _build(
    top: Top, digest: Digest, version: str, *, by_name: bool, warnings: tuple[str, ...]
) -> Plan:
    facts = {key: _fact(top, key, kind, text) for key, (kind, text) in _FACTS.items()}
    if facts["errored"]:
        raise PlanError(
            "The plan has `errored: true`: planning failed, and what it would do is not known.",
            hint="Mend what `terraform plan` reports, and plan again.",
        )
    configuration = Configuration(top.configuration, partial(variable_values, top.variables))

    def context(section: str) -> Context:
        return Context(section, configuration, by_name=by_name)

    planned = Planned(top.planned_values)
    changes = lists.resource_changes(top, context("resource_changes"))
    deferred = lists.deferred(top.deferred_changes, context("deferred_changes"))
    check_whole(planned, configuration, [*changes, *deferred], partial=facts["complete"] is False)
    return Plan(
        top,
        digest,
        configuration=configuration,
        format_version=version,
        warnings=warnings,
        changes=changes,
        drift=lists.drift(top.resource_drift, context("resource_drift")),
        deferred=deferred,
        # A data source may read secrets that Terraform does not mark: outputs of another state.
        prior_context=Context("prior_state", configuration, by_name=True),
        outputs=lists.outputs(top.output_changes, planned, context("output_changes")),
        actions=lists.invocations(top.action_invocations),
        deferred_actions=lists.deferred_invocations(top.deferred_action_invocations),
        **{**facts, "errored": False},
    )


def _fact(top: Top, key: str, kind: type, expected: str) -> Any:
    value = decode_value(getattr(top, key), key)
    if value is not None and not isinstance(value, kind):
        raise wrong_shape(f"{expected}, or nothing", key)
    if isinstance(value, str) and len(value) > LONGEST_NAME:
        raise wrong_shape(f"at most {LONGEST_NAME:,} characters", key)
    return value


# --- Several plans in one stream, as ``terragrunt run --all -- show -json`` prints them.


_NEXT: Final = late(r"trailing characters \(byte (\d+)\)$")


def split_stream(data: bytes) -> list[bytes]:
    """Return each plan of a stream of them; anything else comes back as it is, in one piece.

    What is not a row of JSON objects that each have a ``format_version`` is left whole, for the
    reader of plans to explain. Worth its time only where that reader has met a second document.
    """
    try:
        parts = _parts(to_utf8(data))
    except PlanError:
        return [data]
    if len(parts) < 2 or not all(b'"format_version"' in part for part in parts):
        return [data]
    return parts


def _parts(text: bytes) -> list[bytes]:
    """Cut the text behind every document; no parts where one of them is no JSON."""
    parts = []
    rest = memoryview(text)
    while rest:
        end = _end(rest)
        if end is None:
            return []
        parts.append(bytes(rest[:end]).strip())
        rest = rest[end:]
    return parts


def _end(text: memoryview) -> int | None:
    """Return where the next document begins, or the end; ``None`` where the first is no JSON."""
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except msgspec.DecodeError as error:
        found = _NEXT.search(str(error))
        # msgspec names the byte after the one that is too much.
        return None if found is None else int(found[1]) - 1
    except RecursionError:
        return None
    return len(text)
