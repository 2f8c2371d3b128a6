"""Tables as LaTeX: what TeX makes of them, and that no name breaks them."""

import math
import re
import subprocess
import unicodedata

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import program

from emorank.report.latex import document, escape, table

HOSTILE = (
    r"&%$#_{}~^\ ", r"\end{tabular}\input{/etc/passwd}", "[2cm]", "*", "a--b---c", "x\x00\x07\x1b",
    "two\nlines\tand\r\nmore", "\udcff.jpg", "ééàüñçšőž", "ąđþ", "中文", "😀", "a|b<c>\"d\"'e'`f`",
    "?`!`", "−0.5 ± 0.1 × 3 → κ ≥ ρ ≤ α – — … “q”", "%", "\\", "ß ø Ł", "\u202egnp.exe", "^^M",
    "-1 [-2, 3]", "%d {0} ${x}",
)  # fmt: skip


@pytest.fixture
def compiled(pdflatex, tmp_path):
    """Compile tables as one document; the log, and the text of its pages where pdftotext is."""

    def compile_tables(*tables: str) -> str:
        for number, made in enumerate(tables):
            (tmp_path / f"t{number}.tex").write_text(made, encoding="utf-8")
        names = [f"t{number}.tex" for number in range(len(tables))]
        path = tmp_path / "all.tex"
        path.write_text(document(names, title=r"A & B_\ "), encoding="utf-8")
        return pdflatex(path)

    return compile_tables


def frame():
    return pd.DataFrame(
        {
            "Image": ["a_1.png", "b&c.png"],
            "Count": [150318, 2],
            "F1": [0.9333, math.nan],
            "Change": [-0.25, 0.5],
            "Rank": ["Minimal", None],
        }
    )


def test_numbers_stand_to_the_right_and_undefined_is_a_dash():
    """Alignment by dtype, two decimals, thousands grouped, a minus that is one."""
    made = table(frame(), caption="Scores", label="tab:a b", note="n = 2")
    assert r"\begin{tabular}{lrrrl}" in made
    assert r"a\_1.png & 150,318 & 0.93 & $-$0.25 & Minimal \\" in made
    assert r"b\&c.png & 2 & \textendash{} & 0.50 & \textendash{} \\" in made
    assert r"\label{tab:a-b}" in made
    for rule in (r"\toprule", r"\midrule", r"\bottomrule", r"\caption{Scores}"):
        assert made.count(rule) == 1
    assert made.index("n = 2") > made.index(r"\end{tabular}")


def test_a_header_of_two_levels_has_lines_below_its_groups():
    """The name of a group stands over its columns."""
    groups = pd.DataFrame([[1, 2, 3, 4]])
    groups.columns = pd.MultiIndex.from_tuples(
        [("", "image"), ("A_", "n"), ("A_", "m"), ("B", "n")]
    )
    made = table(groups, caption="", label="x")
    assert r"\multicolumn{2}{c}{A\_}" in made
    assert r"\cmidrule(lr){2-3}\cmidrule(lr){4-4}" in made


def test_hostile_names_compile(compiled):
    """Names, captions, headers, notes: whatever they hold, the document compiles."""
    names = pd.DataFrame(dict.fromkeys(HOSTILE[:4], HOSTILE), dtype=object)
    names["n"] = range(len(HOSTILE))
    everything = " ".join(HOSTILE)
    log = compiled(
        table(names, caption=everything, label="\\}x", note=everything),
        table(pd.concat([names] * 4), caption=everything, label="long", note="n"),
        table(frame(), caption="", label="plain"),
        table(frame().iloc[:0], caption="empty", label="none"),
    )
    assert "Missing character" not in log
    assert "multiply defined" not in log


def test_two_levels_compile(compiled):
    """Short and longer than a page."""
    groups = pd.DataFrame([[1, 2.0, "x"]] * 50)
    groups.columns = pd.MultiIndex.from_tuples([("", "i"), ("A & B", "n"), ("A & B", "m")])
    compiled(table(groups, caption="c", label="l1"), table(groups[:3], caption="c", label="l2"))


def test_what_is_printed_is_what_was_said(compiled, tmp_path):
    """The page shows the characters of the name, not what TeX makes of them."""
    pdftotext = program("pdftotext", package="poppler-utils")
    words = r"a&b%c$d#e_f{g}h^k\l[m]n*o --p <q>|r|"
    compiled(table(pd.DataFrame({"x": [words]}), caption="c", label="l"))
    read = [pdftotext, "-raw", tmp_path / "all.pdf", "-"]
    printed = subprocess.run(read, capture_output=True, check=True).stdout.decode()
    # TeX draws the underscore as a line, and its circumflex is the accent.
    expected = words.translate({ord("^"): "ˆ", ord("_"): "", ord(" "): ""})
    assert expected in printed.replace(" ", "")


@pytest.mark.parametrize("scores", [2, 4, 5])
def test_a_wide_table_stays_on_the_page(compiled, scores):
    """Letters get smaller with the width of the texts, not with the number of columns."""
    wide = pd.DataFrame({"Estimator": ["Delannoy, McDonald 2008: image, SVM"] * 3})
    for number in range(scores):
        wide[f"Score {number}"] = "0.83 [0.78, 0.88]"
    assert "Overfull" not in compiled(table(wide, caption="c", label="l"))


@settings(max_examples=300)
@given(st.text(st.characters(), max_size=20))
def test_escaped_text_is_ascii_without_a_bare_special(words):
    """Every special character stands behind a backslash, or is one that we wrote ourselves."""
    made = escape(words)
    assert made.isascii()
    assert made.isprintable()
    assert made.count("{") - made.count(r"\{") == made.count("}") - made.count(r"\}")
    assert not any(sign in made.replace("\\" + sign, "") for sign in "%&#_")


# What each accent of LaTeX's puts over a letter (LaTeX2e reference manual, section 23.5).
OVER = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", "=": "\u0304", "u": "\u0306",
    ".": "\u0307", '"': "\u0308", "r": "\u030a", "H": "\u030b", "v": "\u030c", "c": "\u0327",
}  # fmt: skip
LIGATURES = {
    "ss": "ß", "ae": "æ", "oe": "œ", "o": "ø", "l": "ł", "AE": "Æ", "OE": "Œ", "O": "Ø", "L": "Ł",
}  # fmt: skip


def read_back(made: str) -> str:
    """What TeX prints for a letter: an accent over it, a letter with a name, or the code."""
    if accent := re.fullmatch(r"\\(.)\{([A-Za-z])\}", made):
        return unicodedata.normalize("NFC", accent[2] + OVER[accent[1]])
    if letter := re.fullmatch(r"\\([A-Za-z]+)\{\}", made):
        return LIGATURES[letter[1]]
    if code := re.fullmatch(r"\[U\+([0-9A-F]{4})\]", made):
        return chr(int(code[1], 16))
    return made


def test_european_letters_keep_their_accents():
    """Every letter of Latin-1 and Latin Extended-A prints as itself, or as its code point."""
    letters = [c for c in map(chr, range(0xC0, 0x180)) if c not in "×÷"]
    assert [read_back(escape(sign)) for sign in letters] == letters
    codes = "".join(sign for sign in letters if escape(sign).startswith("["))
    # TeX's first font encoding has neither these letters nor their marks.
    assert codes == "ÐÞðþĄąĐđĘęĦħĮįıĲĳĸĿŀŉŊŋŦŧŲųſ"


def test_two_hyphens_stay_two_hyphens():
    """Two hyphens in a row would print as one dash; a minus before a digit is a minus."""
    assert escape("a--b") == "a-{}-b"
    assert escape("-1 [-2, 3]") == "$-$1 [$-$2, 3]"
    assert escape("x-1") == "x-1"


def test_a_long_table_breaks_over_pages():
    """Forty rows are one table; one more is a table that breaks."""
    rows = pd.DataFrame({"n": range(41)})
    assert r"\begin{table}" in table(rows[:40], caption="c", label="l")
    assert r"\begin{longtable}" in table(rows, caption="c", label="l")


def test_long_texts_are_broken_into_lines():
    """A column of texts beyond 44 characters gets a width of its own."""
    assert r"\begin{tabular}{l}" in table(pd.DataFrame({"a": ["x" * 44]}), caption="", label="l")
    broken = table(pd.DataFrame({"a": ["x" * 45]}), caption="", label="l")
    assert r"\begin{tabular}{p{0.32\linewidth}}" in broken
