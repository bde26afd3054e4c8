"""What the loader knows of subjects is what the plan room makes."""

from __future__ import annotations

import pytest

from tfgate.hcl import subject
from tfgate.model.rule import Match, Scope
from tfgate.plan import change
from tfgate.plan import configured as modulecall
from tfgate.plan import configured as provider
from tfgate.plan import configured as summary
from tfgate.plan import other_changes as invocation
from tfgate.plan import other_changes as output
from tfgate.ruleset.scopes import MATCH_KEYS, ROOTS

FIELDS = {
    Scope.RESOURCE: change.FIELDS,
    Scope.DRIFT: change.FIELDS,
    Scope.OUTPUT: output.FIELDS,
    Scope.MODULE: modulecall.FIELDS,
    Scope.PROVIDER: provider.PROVIDER_FIELDS,
    Scope.ACTION: invocation.INVOCATION_FIELDS,
    Scope.PLAN: summary.SUMMARY_FIELDS,
    Scope.SOURCE: subject.FIELDS,
}


@pytest.mark.parametrize("scope", FIELDS)
def test_a_message_may_name_the_fields_that_a_subject_has(scope: Scope) -> None:
    """A field that is added to a document, or taken away, is known to the loader."""
    assert ROOTS[scope] == set(FIELDS[scope])


@pytest.mark.parametrize("scope", Scope)
def test_every_scope_has_its_match_keys(scope: Scope) -> None:
    """Each scope says what selects in it, in the words of ``match``."""
    assert MATCH_KEYS[scope] <= set(Match.__struct_fields__)
