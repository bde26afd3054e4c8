"""The style sheet of the audit report, beside that of every page."""

from __future__ import annotations

from tfgate.report.html_style import STYLE as COMMON

STYLE = (
    COMMON
    + """\
body { max-width: 72rem; }
li, h1 { overflow-wrap: anywhere; }
header p.tags { margin-top: .5rem; }
.proof { border-left: .4rem solid var(--tone); background: var(--card); border-radius: .25rem;
  margin: 1.25rem 0; padding: .6rem 1rem; }
.proof strong { color: var(--tone); }
.figures { display: grid; gap: .6rem;
  grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr));
  list-style: none; margin: 1rem 0 0; padding: 0; }
.figures li { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  margin: 0; padding: .6rem .8rem; }
.figures b { display: block; font-size: 1.5rem; line-height: 1.2; }
.figures a { text-decoration-thickness: .06em; text-underline-offset: .15em; }
nav ol { columns: 2; column-gap: 2rem; margin: .5rem 0 0; padding-left: 1.4rem; }
nav li { margin: .15rem 0; }
table { font-size: .92rem; }
caption { color: var(--soft); padding-bottom: .4rem; text-align: left; }
td { min-width: 4.5rem; overflow-wrap: anywhere; }
td.wide { min-width: 14rem; }
td.record, td.time, .word { white-space: nowrap; }
td.time .note { white-space: normal; max-width: 10rem; }
td.who { min-width: 11.5rem; }
h3 { margin: 1.1rem 0 .3rem; }
td .note { color: var(--soft); display: block; font-size: .88em; }
tr:target td { background: var(--card); box-shadow: inset 0 0 0 .1rem var(--link); }
.word { color: var(--tone); font-weight: 600; }
.hash { font: .85em ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace;
  overflow-wrap: anywhere; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: .4rem;
  overflow-x: auto; padding: .6rem .8rem; white-space: pre-wrap; }
@media (max-width: 36rem) { nav ol { columns: 1; } }
@media print { nav { display: none; } h2 { break-after: avoid; } tr { break-inside: avoid; }
  thead { display: table-header-group; } .scroll { overflow: visible; }
  table { font-size: 8pt; } td, td.wide, td.who { min-width: 3.6rem; } a { color: inherit; }
  .figures { grid-template-columns: repeat(4, 1fr); } .figures b { font-size: 1.1rem; }
  @page { margin: 14mm; } }
"""
)
