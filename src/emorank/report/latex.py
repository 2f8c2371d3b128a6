"""Tables as LaTeX: booktabs, escaped, compiled by plain pdflatex whatever a file is called."""

import re
import unicodedata
from collections.abc import Iterable
from itertools import groupby

import pandas as pd

from emorank.report.words import cell, plain, text

# What has a meaning of its own to TeX, or another glyph in its first font encoding.
_SIGNS = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$",
    "#": r"\#", "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''",
    "`": r"\textasciigrave{}", "\N{NO-BREAK SPACE}": "~",
    "–": r"\textendash{}", "—": r"\textemdash{}", "…": r"\ldots{}", "−": "$-$",
    "×": r"$\times$", "±": r"$\pm$",
    "≤": r"$\leq$", "≥": r"$\geq$", "→": r"$\rightarrow$", "α": r"$\alpha$", "κ": r"$\kappa$",
    "ρ": r"$\rho$", "“": r"\textquotedblleft{}", "”": r"\textquotedblright{}",
    "ß": r"\ss{}", "æ": r"\ae{}", "œ": r"\oe{}", "ø": r"\o{}", "ł": r"\l{}",
    "Æ": r"\AE{}", "Œ": r"\OE{}", "Ø": r"\O{}", "Ł": r"\L{}",
}  # fmt: skip
# The accents that every font of TeX can put over a letter.
_ACCENTS = dict(
    zip("\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327",
        "`'^~=u.\"rHvc", strict=True)
)  # fmt: skip
_MINUS = re.compile(r"(?<![\w}.)-])-(?=\d)")
# Rows that fit on one page, and the width from which a text is broken into lines.
_PAGE, _LONG = 40, 44


def table(frame: pd.DataFrame, *, caption: str, label: str, note: str = "") -> str:
    r"""A table as a `table` environment, or as a `longtable` where it is longer than a page.

    Numbers stand to the right: floats with two decimals (round before for fewer, or hand over
    texts for more), whole numbers grouped, a dash where there is none. Columns of two levels get
    a line below each group. The document needs the packages booktabs, and longtable for the long.

    Args:
        frame: what to show, without its index; a column's dtype decides its alignment.
        caption: above the table, plain text.
        label: for `\ref`; what is no letter, digit or `:._-` becomes `-`.
        note: below the table, plain text.
    """
    texts = frame.astype(object).map(lambda value: cell(plain(value)))
    body = texts.map(_cell)
    kinds = [_kind(frame.iloc[:, place]) for place in range(frame.shape[1])]
    body.index = pd.RangeIndex(len(body))
    levels = [[_cell(str(name)) for name in level] for level in _levels(frame.columns)]
    body.columns = pd.MultiIndex.from_arrays(levels) if len(levels) > 1 else levels[0]
    long = len(frame) > _PAGE
    environment = "longtable" if long else "table"
    made = body.style.hide(axis="index").to_latex(
        column_format="".join(kinds),
        hrules=True,
        multicol_align="c",
        caption=escape(caption),
        label=re.sub(r"[^A-Za-z0-9:._-]", "-", label),
        environment=environment,
        position=None if long else "htbp",
        position_float=None if long else "centering",
    )
    if len(levels) > 1:
        made = _group_rules(made, levels[0])
    below = rf"\par\smallskip{{\footnotesize {escape(note)}\par}}" if note else ""
    return _sized(made, environment, _width(texts), below)


def document(names: Iterable[str], title: str) -> str:
    r"""A document that inputs tables and compiles, under a title of plain text.

    The names of their files, beside the document, are of letters, digits, `._-` only.
    """
    inputs = "\n".join(rf"\input{{{name}}}" for name in names)
    return rf"""\documentclass[a4paper]{{article}}
\usepackage[margin=2cm]{{geometry}}
\usepackage{{booktabs,longtable}}
\title{{{escape(title)}}}
\date{{}}
\begin{{document}}
\maketitle
\noindent
{inputs}
\end{{document}}
"""


def escape(words: str) -> str:
    """Plain text as LaTeX that prints it; what TeX's fonts have not becomes its code point.

    White space of any kind is a space, `U+0007` and `U+4E2D` stand for themselves in brackets.
    """
    made = "".join(map(_character, unicodedata.normalize("NFC", text(words))))
    return _MINUS.sub("$-$", re.sub("(?<=-)-", "{}-", made))  # two hyphens are no dash


def _character(sign: str) -> str:
    if sign in _SIGNS:
        return _SIGNS[sign]
    if sign.isspace():
        return " "
    if " " < sign <= "~":
        return sign
    letter, *marks = list(unicodedata.normalize("NFD", sign))
    if letter.isascii() and letter.isalpha() and len(marks) == 1 and marks[0] in _ACCENTS:
        return rf"\{_ACCENTS[marks[0]]}{{{letter}}}"
    return f"[U+{ord(sign):04X}]"


def _cell(words: str) -> str:
    r"""A bracket or star that begins a row would be an argument of the `\\` before it."""
    made = escape(words)
    return "{}" + made if made.startswith(("[", "*")) else made


def _levels(columns: pd.Index) -> list[list[object]]:
    if isinstance(columns, pd.MultiIndex):
        return [list(columns.get_level_values(level)) for level in range(columns.nlevels)]
    return [list(columns)]


def _kind(column: pd.Series) -> str:
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return "r"
    widest = max((len(str(value)) for value in column), default=0)
    return r"p{0.32\linewidth}" if widest > _LONG else "l"


def _group_rules(made: str, groups: list[str]) -> str:
    """Lines below the names of the header's groups, wherever the header stands."""
    rules, start = "", 1
    for name, members in groupby(groups):
        width = len(list(members))
        if name:
            rules += rf"\cmidrule(lr){{{start}-{start + width - 1}}}"
        start += width
    return re.sub(r"(\\toprule\n[^\n]*)", lambda header: f"{header[0]}\n{rules}", made)


def _width(texts: pd.DataFrame) -> int:
    """Of the table, in letters; a text that is broken into lines counts as long as a line."""
    columns = ((name, *texts.iloc[:, place]) for place, name in enumerate(texts.columns))
    last = ((n[-1] if isinstance(n, tuple) else n, *cells) for n, *cells in columns)
    return sum(min(max(len(str(text)) for text in column), _LONG) + 2 for column in last)


def _sized(made: str, environment: str, width: int, below: str) -> str:
    """The whole in a group of its own, in letters small enough for a page, the note at its end."""
    size = r"\scriptsize" if width > 120 else r"\footnotesize" if width > 100 else r"\small"
    inner = rf"{size}\setlength{{\tabcolsep}}{{{3 if width > 120 else 5}pt}}"
    if environment == "longtable":
        return f"{{{inner}\n{made.rstrip()}\n{below}}}\n"
    head, end = "\\centering\n", "\\end{table}\n"
    opened = made.replace(head, f"{head}{inner}\n", 1).removesuffix(end)
    return opened + (f"{below}\n" if below else "") + end
