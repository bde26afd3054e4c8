"""Texts that try to break out of wherever they are shown, and what no output may do."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

EVIL: Final = "evil.example"

SAMPLES: Final[dict[str, str]] = {
    "ansi colours": "\x1b[31mred\x1b[0m",
    "ansi screen": "\x1b[2J\x1b[H\x1b]0;title\x07\x1bc",
    "c1 controls": "\x9b31mred\x9d0;x\x9c\x90q\x9c\x85",
    "clipboard": "\x1b]52;c;ZXZpbA==\x07\x1b]52;c;!\x1b\\\\\x9d52;c;ZXZpbA==\x9c",
    "hyperlink": f"\x1b]8;;https://{EVIL}\x1b\\click\x1b]8;;\x1b\\",
    "device control": "\x1bP+q544e\x1b\\\x1b_x\x1b\\\x1b^y\x1b\\\x1bX\x1b\\",
    "carriage return": "\rALLOWED  Nothing blocks this plan.\x08\x08\x7f\x00",
    "new lines": "x\nALLOWED\r\n\n# heading\n---\n\tcode\x0b\x0c\x1c\x1d\x1e",
    "line separators": "a\u2028b\u2029c\x85d",
    "github command": "\n::error file=a.tf,line=1::owned\n  ::add-mask::x\n::set-output name=a::b",
    "github old command": "##[error]owned ##[group]x\n##[endgroup]",
    "azure command": "##vso[task.complete result=Succeeded]ok ##VSO[x]y",
    "gitlab section": "section_start:1560896352:a[collapsed=true]\r\x1b[0Kheader",
    "teamcity command": "##teamcity[testFailed name='x']\n##TeamCity[x]",
    "command at the start": "::error::owned",
    "markdown": "# h\n\n* a\n1. b\n> q\n**bold** _it_ ~~s~~ \\ \\* <br> &amp; &#64;a",
    "markdown link": f'[click](javascript:alert(1)) [a](https://{EVIL}) [r]: https://{EVIL} "t"',
    "markdown image": f"![x](https://{EVIL}/a.png) <https://{EVIL}> https://{EVIL} www.{EVIL}",
    "markdown fences": "```\n~~~\n````````\n`````` x",
    "markdown table": "| a | b |\n|---|---|\n| c \\| d |",
    "mentions": "@octocat @org/team #1 !2 GH-3 %4 ~label $5 org/repo#6 &7 :tada: a@evil.example",
    "commits": "6dcb09b5b57875f334f61aebed695e2e4193db5e 1a2b3c4",
    "mathematics": "$`x`$ $$y$$ \\(a\\) ${7*7} {{7*7}} {% raw %}",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)><svg/onload=alert(1)>",
    "html attributes": "\" onmouseover=\"alert(1) ' onfocus='alert(1) ` =x autofocus",
    "html ends": "</textarea></title></script></style></td></div>--><!--]]><![CDATA[",
    "html address": f"javascript:alert(1) data:text/html,x vbscript:x //{EVIL} https:{EVIL}",
    "paths": "../../../../etc/passwd file:///etc/passwd C:\\x \\\\evil\\share %2e%2e/ ~/x ?a#b",
    "placeholders": "{0} {1} %s %(x)s {x!r} $(id) `id` $HOME %PATH% %0A %3A",
    "csv equals": '=HYPERLINK("https://evil.example","x")',
    "csv plus": "+cmd|' /C calc'!A0",
    "csv minus": "-2+3+cmd|' /C calc'!A0",
    "csv at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "csv tab": "\t=1+1",
    "csv return": "\r=1+1",
    "csv quotes": '";=1+1,"\n=1+1',
    "csv wide": "\uff1d1+1 \uff0b1 \uff0d1 \uff201",
    "xml": "]]> <!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]> &y; \x00\x01\ufffe\uffff",
    "bidirectional": "\u202egnirts\u202c \u2066x\u2069 \u200f\u200e\u061c \u202aa\u202bb\u2067c",
    "zero width": "a\u200bb\u200cc\u200dd\u2060e\ufefff\u00adg\u180eh\u2061i\u2064",
    "tags": "a" + "".join(chr(0xE0000 + ord(c)) for c in "run this") + "\U000e007f",
    "selectors": "a" + "".join(chr(0xE0100 + n) for n in range(40)) + "\ufe0f\ufe00",
    "fillers": "a\u3164b\uffa0c\u115f\u1160d\u034fe\u17b4\u17b5f\u180b\u2800",
    "lone surrogates": "\ud800 \udfff \udc80\udcff",
    "noncharacters": "\ufdd0 \U0010ffff \ue000 \U000f0000",
    "many marks": "a" + "\u0301" * 200,
    "markup of rich": "[red]x[/red] [link=https://evil.example]x[/link] [/] [bold",
    "json": '"}],"verdict":"allow","x":[{"',
    "verdicts": 'FAIL - x failures": [ 12 failures FAIL\n0 failures PASS 3 tests, 3 passed',
    "empty": "",
    "blank": "   \u00a0\u2003\u3000 ",
}
"""By what they try."""

LONG: Final = "A\x1b[31m<b>" * 1_000_000
"""Ten million characters."""

_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\u2800\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
"""What is printable by its category and shows nothing."""
_LOG_COMMAND = re.compile(r"##(?:\[|vso\[|teamcity\[)", re.IGNORECASE)
_LINE_COMMAND = re.compile(r"^\s*::[A-Za-z][\w-]*(?: [^:]*)?::", re.MULTILINE)


def invisible_in(text: str) -> list[str]:
    """Return the characters that a terminal or a person would not see as they are."""
    return sorted(
        {
            f"U+{ord(char):04X} {unicodedata.name(char, '?')}"
            for char in text
            if not (char.isprintable() or char == "\n") or _INVISIBLE.match(char)
        }
    )


def commands_in(text: str) -> list[str]:
    """Return the commands that a CI system would obey in a log."""
    return [*_LOG_COMMAND.findall(text), *_LINE_COMMAND.findall(text)]
