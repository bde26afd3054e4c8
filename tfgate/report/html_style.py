"""The style sheet of the HTML report: light and dark, on a phone, on paper."""

STYLE = """\
:root { color-scheme: light dark; --ink: #1d2530; --soft: #57606f; --page: #fff; --card: #f6f8fa;
  --line: #d5dae1; --deny: #b3261e; --allow: #1a6b35; --unsure: #8a5a00; --link: #0b57d0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --soft: #a3adba; --page: #12161c;
  --card: #1b2129; --line: #38414d; --deny: #ff8a80; --allow: #7fd699; --unsure: #f3c05b;
  --link: #9cc3ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem 1rem 4rem; background: var(--page);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .75rem; }
h3 { font-size: 1rem; margin: 0; }
p { margin: .35rem 0; }
code, .address { font: .92em ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; }
code, .address, dd, p { overflow-wrap: anywhere; }
a { color: var(--link); }
.verdict { border-left: .4rem solid var(--tone); padding: .25rem 0 .25rem 1rem; }
.verdict strong { color: var(--tone); }
.denied, .block { --tone: var(--deny); }
.allowed { --tone: var(--allow); }
.undecided { --tone: var(--unsure); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 1rem 0 0; }
dt { color: var(--soft); }
dd { margin: 0; }
article { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  border-left: .25rem solid var(--tone, var(--line)); margin: .75rem 0; padding: .85rem 1rem; }
ul { margin: .5rem 0 0; padding-left: 1.2rem; }
li { margin: .45rem 0; }
.address { font-weight: 600; }
.tags { color: var(--soft); font-size: .9rem; }
.at { color: var(--soft); font-size: .9rem; }
.remedy { border-top: 1px solid var(--line); margin-top: .7rem; padding-top: .5rem; }
summary { cursor: pointer; font-weight: 600; padding: .25rem 0; }
:focus-visible { outline: .15rem solid var(--link); outline-offset: .15rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem .3rem 0; text-align: left;
  vertical-align: top; }
td.digest { min-width: 12rem; overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 500; }
.scroll { overflow-x: auto; }
@media (max-width: 36rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } }
@media print { body { max-width: none; padding: 0; font-size: 10pt; }
  article { break-inside: avoid; background: none; } details > summary { list-style: none; } }
"""
