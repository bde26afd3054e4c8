"""Decision → text, one file a format; nothing here opens a file, reads a clock or looks around."""

from tfgate.report.interface import AuditFacts, ReportContext, Terminal, terminal_of
from tfgate.report.markdown import step_summary
from tfgate.report.registry import (
    FORMATS,
    Format,
    ReportRequest,
    parse_report_option,
    parse_report_options,
    render,
)

__all__ = [
    "render",
    "step_summary",
    "ReportContext",
    "AuditFacts",
    "FORMATS",
    "Format",
    "ReportRequest",
    "parse_report_option",
    "parse_report_options",
    "Terminal",
    "terminal_of",
]
