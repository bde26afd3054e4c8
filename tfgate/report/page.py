"""HTML pages from templates: nothing is loaded, and text out of a plan is only ever text.

Templates and assets are files in the ``templates`` folder of the package that has the page; what
pages share is in ``report/templates``. Jinja2 escapes every value (``autoescape``), after
``html_text`` wrote what is not printable as a visible escape. The content security policy allows
the page's own style sheet and script, by their hashes, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tfgate.report.escape import html_text

_SHARED = "tfgate.report"
_TRUSTED_TYPES = ("require-trusted-types-for 'script'", "trusted-types 'none'")


def render_page(
    package: str,
    template: str,
    *,
    styles: tuple[str, ...],
    script: str = "",
    allow: tuple[str, ...] = (),
    **values: object,
) -> str:
    """Render a template of ``package`` with ``values``.

    The template extends ``page.html``. ``styles`` and ``script`` name assets that stand beside it;
    they become the page's ``<style>`` and ``<script>``. ``allow`` as for `content_policy`.
    """
    style = "".join(asset(package, name) for name in styles)
    code = asset(package, script) if script else ""
    own = {
        "style": Markup(style),  # noqa: S704 - our own files, here and below
        "script": Markup(code),  # noqa: S704
        "policy": Markup(content_policy(style, code, allow)),  # noqa: S704
    }
    return _environment(package).get_template(template).render(values | own)


@lru_cache(maxsize=16)
def asset(package: str, name: str) -> str:
    """Read a style sheet or script of a page, byte for byte."""
    environment = _environment(package)
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def content_policy(style: str, script: str = "", allow: tuple[str, ...] = ()) -> str:
    """Return the policy that allows this style sheet and this script, and nothing else.

    ``allow`` are directives for what the page has beyond that: forms, frames. Content Security
    Policy Level 3, 2.3.1: a hash is of the very text between the tags.
    """
    allowed = [f"style-src '{_hash(style)}'"]
    if script:
        allowed.append(f"script-src '{_hash(script)}'")
    parts = ["default-src 'none'", *allowed, "base-uri 'none'", *allow]
    if not any(one.startswith("form-action ") for one in allow):
        parts.append("form-action 'none'")
    return "; ".join([*parts, *(_TRUSTED_TYPES if script else ())])


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@lru_cache(maxsize=8)
def _environment(package: str) -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader(_SHARED)]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_safe,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.filters["thousands"] = "{:,}".format
    return environment


def _safe(value: object) -> object:
    """Make what a template prints safe; markup is what our own templates made."""
    if isinstance(value, Markup):
        return value
    return Markup(html_text(value if type(value) is str else str(value)))  # noqa: S704 - escaped
