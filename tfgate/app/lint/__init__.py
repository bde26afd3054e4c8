"""Lint: what is wrong with a rule although it loads, told before any plan is judged."""

from __future__ import annotations

from tfgate.app.lint.findings import CHECKS, LintFinding, LintResult
from tfgate.app.lint.run import lint_rulesets

__all__ = ["CHECKS", "LintFinding", "LintResult", "lint_rulesets"]
