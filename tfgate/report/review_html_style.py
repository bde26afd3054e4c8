"""The style sheet of the review's page: light and dark, on a phone, on paper.

The colours are tables, so that a test can compute every contrast.
"""

from __future__ import annotations

from typing import Final

LIGHT: Final = {
    "page": "#ffffff",
    "card": "#f6f8fa",
    "ink": "#1b222c",
    "soft": "#57606f",
    "line": "#d3d9e0",
    "edge": "#7d8794",
    "link": "#0b57d0",
    "create": "#176432",
    "update": "#7a4d00",
    "replace": "#8c2f7a",
    "delete": "#a8201a",
    "quiet": "#515b69",
    "added": "#e3f4e8",
    "removed": "#fdeceb",
    "changed": "#fdf3dc",
    "mark": "#ffe08a",
}
DARK: Final = {
    "page": "#11151b",
    "card": "#1a2028",
    "ink": "#e5e9ef",
    "soft": "#a6b0bd",
    "line": "#36404c",
    "edge": "#7f8b99",
    "link": "#9cc3ff",
    "create": "#7fd699",
    "update": "#f0c063",
    "replace": "#eda6dd",
    "delete": "#ff938a",
    "quiet": "#aab4c0",
    "added": "#14301f",
    "removed": "#3b1a1c",
    "changed": "#372b10",
    "mark": "#6b5310",
}
READABLE: Final = (
    *((text, ground) for text in ("ink", "soft", "link") for ground in ("page", "card")),
    *((action, ground)
      for action in ("create", "update", "replace", "delete", "quiet")
      for ground in ("page", "card")),
    *(("ink", ground) for ground in ("added", "removed", "changed", "mark")),
    ("create", "added"), ("delete", "removed"), ("update", "changed"),
    ("soft", "added"), ("soft", "removed"), ("soft", "changed"),
)  # fmt: skip
"""Every pair of text and ground that the page has: contrast of at least 4.5 (WCAG 2.2, 1.4.3)."""


def _variables(colours: dict[str, str]) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())


_RULES: Final = """\
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { scroll-padding-top: 5rem; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; overflow-wrap: anywhere; }
body > * { max-width: 76rem; margin-inline: auto; padding-inline: 1rem; }
code, pre, del, ins { font: .875rem/1.5 ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace;
  unicode-bidi: isolate; }
h1, h2, h3, p, dl, ul { margin: 0; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 2rem 0 .75rem; }
main > section:first-of-type > h2 { margin-top: .5rem; }
h3 { font-size: 1rem; line-height: 1.4; font-weight: 600; }
a { color: var(--link); }
button, input, select { font: inherit; color: var(--ink); background: var(--page);
  border: 1px solid var(--edge); border-radius: .4rem; padding: .3rem .6rem; min-height: 2.25rem; }
button { cursor: pointer; }
button:hover { border-color: var(--ink); }
:focus-visible { outline: .18rem solid var(--link); outline-offset: .12rem; }
summary { cursor: pointer; }
.skip { position: absolute; left: -99rem; }
.skip:focus { position: static; display: block; }
.soft { color: var(--soft); font-size: .92rem; }
.count { color: var(--soft); font-weight: 400; }

.verdict { padding-block: 1.5rem 1.25rem; }
.verdict .top { display: flex; gap: 1rem; align-items: flex-start; justify-content: space-between; }
h1 { font-size: 1.75rem; line-height: 1.2; color: var(--tone); }
.verdict .kicker { color: var(--soft); font-size: .92rem; }
.verdict .lead { font-size: 1.1rem; margin-top: .25rem; }
.denied { --tone: var(--delete); } .allowed { --tone: var(--create); }
.undecided { --tone: var(--update); }
.about { display: flex; flex-wrap: wrap; gap: .1rem 1.5rem; margin-top: .6rem; }
.about div { display: flex; gap: .4rem; }
.about dt { color: var(--soft); } .about dd { margin: 0; }

.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(7.5rem, 1fr)); gap: .6rem;
  list-style: none; padding: 0; }
.tiles li { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  border-top: .25rem solid var(--tone); padding: .5rem .8rem; }
.tiles b { display: block; font-size: 1.6rem; line-height: 1.2; color: var(--tone); }
.bar { display: block; width: 100%; height: .6rem; margin: .8rem 0 .5rem; border-radius: .3rem; }
.tiles + p { margin-top: .6rem; }
.bar rect { fill: var(--tone); }
.create { --tone: var(--create); } .update, .drift { --tone: var(--update); }
.replace { --tone: var(--replace); } .delete { --tone: var(--delete); }
.read, .no-op, .forget, .output, .deferred, .invoke { --tone: var(--quiet); }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .25rem 1.25rem .25rem 0;
  border-bottom: 1px solid var(--line); font-weight: 400; }
thead th { color: var(--soft); }
td.n { color: var(--tone); text-align: right; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }

.filters { display: block; position: sticky; top: 0; z-index: 1; background: var(--page);
  border-bottom: 1px solid var(--line); padding-block: .6rem; margin-top: 1.25rem; }
.filters form { display: flex; flex-wrap: wrap; gap: .5rem .9rem; align-items: center; }
.filters label { display: inline-flex; gap: .35rem; align-items: center; }
.filters input[type=search] { flex: 1 1 14rem; min-width: 0; width: 16rem; }
.filters .words { flex: 1 1 16rem; }
.filters select { max-width: 16rem; }
.filters input[type=checkbox] { min-height: 0; width: 1.05rem; height: 1.05rem; margin: 0;
  accent-color: var(--link); }
fieldset { border: 0; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .3rem .8rem; }
legend { float: left; margin-right: .6rem; color: var(--soft); padding: 0; }
.filters output { color: var(--soft); }

.change, .rule, .finding { background: var(--card); border: 1px solid var(--line);
  border-left: .3rem solid var(--tone, var(--line)); border-radius: .5rem; }
.change { margin: .7rem 0; padding: .7rem .9rem; }
.change > :not(header) { content-visibility: auto; contain-intrinsic-size: auto 1.6rem; }
.change > .finding { contain-intrinsic-size: auto 6rem; }
.change:target, .rule:target, .finding:target {
  outline: .18rem solid var(--link); outline-offset: .12rem; }
.change > header { display: flex; flex-wrap: wrap; gap: .1rem .8rem; align-items: baseline; }
.badge { display: inline-block; color: var(--tone); border: 1px solid var(--tone);
  border-radius: .35rem; padding: 0 .45rem; margin-right: .5rem; font-size: .85rem;
  white-space: nowrap; }
.change h3 { min-width: 0; } .change h3 code { font-size: .95rem; }
.change > p, .change > details { margin-top: .35rem; }
.change > details > summary { color: var(--soft); font-size: .92rem; width: fit-content;
  padding-inline: .25rem; margin-left: -.25rem; }
.change > details { margin-left: -.25rem; padding-left: .5rem; }
.change summary:focus-visible, .change a:focus-visible { outline-offset: -.15rem; }
.finding { background: var(--page); --tone: var(--update); padding: .5rem .75rem;
  margin: .55rem 0; }
.finding.block { --tone: var(--delete); } .finding.waived { --tone: var(--quiet); }
.finding p { margin: .15rem 0; }
.name { font-weight: 600; }
.sev { display: inline-block; color: var(--tone); border: 1px solid var(--tone);
  border-radius: .35rem; padding: 0 .4rem; font-size: .8rem; font-weight: 600;
  margin-right: .3rem; }

.diff { list-style: none; padding: 0; margin: .4rem 0 .2rem; display: grid; gap: 0 .6rem;
  grid-template-columns: 1.1rem fit-content(20rem) minmax(0, 1fr); }
.diff .diff { margin: 0; }
.diff > li { display: grid; grid-template-columns: subgrid; grid-column: 1 / -1;
  align-items: baseline;
  border-radius: .25rem; padding: .05rem .35rem; }
.diff > li > .s { font: 700 .875rem/1.5 ui-monospace, Menlo, Consolas, monospace;
  color: var(--tone); }
.diff > li > .diff, .diff > li > .lines, .diff > li > p { grid-column: 2 / -1; }
.diff .v { min-width: 0; }
li.added { --tone: var(--create); } li.removed { --tone: var(--delete); }
li.changed { --tone: var(--update); } li.same { --tone: var(--quiet); }
.diff > li.leaf.added { background: var(--added); }
.diff > li.leaf.removed { background: var(--removed); }
.create > details > .diff li.leaf, .read > details > .diff li.leaf,
.delete > details > .diff li.leaf { background: none; }
.diff > li.forces > .k { font-weight: 700; }
del, ins { text-decoration: none; border-radius: .2rem; padding: .05rem .25rem;
  white-space: pre-wrap; -webkit-box-decoration-break: clone; box-decoration-break: clone; }
del { background: var(--removed); } ins { background: var(--added); }
li.leaf.added > .v ins, li.leaf.removed > .v del { background: none; padding: 0; }
mark { background: var(--mark); color: inherit; border-radius: .15rem; }
.arrow { color: var(--soft); padding: 0 .3rem; }
.hint { font: italic .875rem/1.5 system-ui, sans-serif; color: var(--soft); }
.note { color: var(--soft); font-size: .85rem; }
.forces-note { white-space: nowrap; color: var(--delete); font-size: .85rem; font-weight: 600; }
.diff > li.leaf.added .forces-note, .diff > li.leaf.removed .forces-note { color: var(--ink); }
.lines { margin: .2rem 0; border: 1px solid var(--line); border-radius: .25rem;
  overflow: hidden; list-style: none; padding: 0; background: var(--page); }
.lines li { display: grid; grid-template-columns: 1.4rem minmax(0, 1fr); white-space: pre-wrap;
  padding: 0 .35rem; }
.lines li::before { content: " "; font: .875rem/1.5 ui-monospace, Menlo, monospace; }
.lines li.added { background: var(--added); } .lines li.added::before { content: "+"; }
.lines li.removed { background: var(--removed); } .lines li.removed::before { content: "-"; }
.lines li.gap { color: var(--soft); font-style: italic; }
.lines li.gap::before { content: "\\2026"; }
.long > summary { list-style: none; } .long > summary::after { content: attr(data-more);
  color: var(--link); font: .85rem system-ui, sans-serif; white-space: nowrap; }
.long[open] > summary::after { content: "less"; }
.long[open] > summary > code { display: none; }

.rule { padding: .8rem 1rem; margin: .8rem 0; }
.rule p, .rule dl, .rule ul, .rule pre { margin: .5rem 0; }
.rule h4 { margin: .9rem 0 .2rem; font-size: .95rem; }
.rule pre { white-space: pre-wrap; background: var(--page); border: 1px solid var(--line);
  border-radius: .3rem; padding: .5rem .7rem; }
.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .1rem 1rem; }
.facts dt { color: var(--soft); } .facts dd { margin: 0; }
.index { padding: 0; list-style: none; border: 1px solid var(--line); border-radius: .5rem;
  background: var(--card); }
.index > li { --tone: var(--update); border-left: .3rem solid var(--tone); padding: .5rem .8rem;
  border-bottom: 1px solid var(--line); display: flex; flex-wrap: wrap; gap: .1rem .8rem; }
.index > li:first-child { border-top-left-radius: .5rem; }
.index > li:last-child { border-bottom: 0; border-bottom-left-radius: .5rem; }
.index > li.block { --tone: var(--delete); } .index > li.waived { --tone: var(--quiet); }
.index > li > p:first-child { flex: 3 1 30rem; }
.index > li > p:last-child, .index > li > details { flex: 2 1 22rem; }
.index ~ h3 { margin-top: 1.25rem; }
.index ul { padding-left: 1.2rem; margin-top: .2rem; }
.index .where > * { margin-right: .8rem; }
footer { color: var(--soft); padding-block: 2rem 3rem; font-size: .92rem; }
footer h2 { color: var(--ink); }

@media (max-width: 40rem) {
  .filters { position: static; }
  .diff { grid-template-columns: 1rem minmax(0, 1fr); gap: 0 .35rem; }
  .diff > li { padding: .05rem .2rem; }
  .diff > li > .v { grid-column: 2; padding-left: .6rem; }
  .diff > li > .v:empty { display: none; }
  .diff > li > .k.v { padding-left: 0; }
  .facts { grid-template-columns: minmax(0, 1fr); } .facts dd { margin-bottom: .3rem; }
  .change { padding: .6rem .65rem; }
}
@media print {
  :root { color-scheme: light; }
  .filters, .skip, #theme { display: none !important; }
  body > * { max-width: none; padding-inline: 0; }
  body { font-size: 10pt; }
  .change > :not(header) { content-visibility: visible; }
  .finding, .change > header { break-inside: avoid; }
  .change > header, h2 { break-after: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
"""

STYLE: Final = (
    f":root {{ color-scheme: light; {_variables(LIGHT)} }}\n"
    "@media screen and (prefers-color-scheme: dark) { :root:not([data-theme=light]) "
    f"{{ color-scheme: dark; {_variables(DARK)} }} }}\n"
    f"@media screen {{ :root[data-theme=dark] {{ color-scheme: dark; {_variables(DARK)} }} }}\n"
    f"{_RULES}"
)
"""All of it. On paper the page is light, whatever the screen is."""
