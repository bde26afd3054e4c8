"""The language server: the protocol around findings, hover and completion (extra ``lsp``)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from tfgate._version import __version__
from tfgate.authoring.lsp.answers import (
    LARGEST,
    Mark,
    Offer,
    complete,
    declared_in,
    hover,
    marks_of,
)

if TYPE_CHECKING:
    from pygls.workspace import TextDocument

    from tfgate.schema import Catalog

    Edited = (
        lsp.DidOpenTextDocumentParams
        | lsp.DidChangeTextDocumentParams
        | lsp.DidSaveTextDocumentParams
    )

_KINDS = {
    "field": lsp.CompletionItemKind.Field,
    "function": lsp.CompletionItemKind.Function,
    "type": lsp.CompletionItemKind.Class,
    "value": lsp.CompletionItemKind.Constant,
}


def make_server(catalog: Catalog) -> LanguageServer:
    """Return a server that knows the schemas of ``catalog``; ``start_io()`` runs it."""
    server = LanguageServer("tfgate", __version__)

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def check(params: Edited) -> None:
        uri = params.text_document.uri
        document = server.workspace.get_text_document(uri)
        path = to_fs_path(uri)
        found = [] if path is None else marks_of(Path(path), _text(document), catalog)
        diagnostics = [_diagnostic(mark, document) for mark in found]
        server.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(uri, diagnostics, document.version)
        )

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def on_hover(params: lsp.HoverParams) -> lsp.Hover | None:
        document = server.workspace.get_text_document(params.text_document.uri)
        text = _text(document)
        if len(text) > LARGEST:
            return None
        page = hover(text, document.offset_at_position(params.position), catalog)
        if page is None:
            return None
        return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, page))

    @server.feature(
        lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=[".", "'", '"', "{"])
    )
    def on_completion(params: lsp.CompletionParams) -> lsp.CompletionList:
        document = server.workspace.get_text_document(params.text_document.uri)
        path = to_fs_path(params.text_document.uri)
        text = _text(document)
        if len(text) > LARGEST:
            return lsp.CompletionList(is_incomplete=False, items=[])
        declared = declared_in(Path(path or "draft.toml"), text)
        offset = document.offset_at_position(params.position)
        offers = complete(text, offset, catalog, declared)
        return lsp.CompletionList(is_incomplete=False, items=[_item(offer) for offer in offers])

    return server


def _text(document: TextDocument) -> str:
    """Return the text, a question mark for each half of a surrogate pair: JSON can bring one."""
    return document.source.encode("utf-8", "replace").decode()


def _diagnostic(mark: Mark, document: TextDocument) -> lsp.Diagnostic:
    lines = document.lines
    codec = document.position_codec
    place = lsp.Range(lsp.Position(mark.line, mark.start), lsp.Position(mark.line, mark.end))
    severity = lsp.DiagnosticSeverity.Error if mark.is_error else lsp.DiagnosticSeverity.Warning
    return lsp.Diagnostic(
        range=codec.range_to_client_units(lines, place),
        message=mark.message,
        severity=severity,
        code=mark.check,
        source="tfgate",
    )


def _item(offer: Offer) -> lsp.CompletionItem:
    return lsp.CompletionItem(
        label=offer.label,
        kind=_KINDS[offer.kind],
        detail=offer.detail or None,
        documentation=offer.doc or None,
    )
