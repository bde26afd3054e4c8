"""A first rule: written from a provider's schema, or from a resource of a plan."""

from __future__ import annotations

from tfgate.app.scaffold.draft import Draft, draft_rule
from tfgate.app.scaffold.plan import subject_of_plan
from tfgate.app.scaffold.write import check_rule, rule_text

__all__ = ["Draft", "check_rule", "draft_rule", "rule_text", "subject_of_plan"]
