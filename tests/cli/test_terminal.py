"""Tables and lines on the terminal: strange names, alignment, what stays on one line."""

import re

import pytest
from rich.text import Text

from emorank.cli.terminal import print_line, print_table
from emorank.printable import printable

STRANGE = [
    "p[bold]0.png",
    "[/b]",
    "\\[red]",
    ":smile:",
    "a\x1b[2Jb",
    "a\rb",
    "a\udcffb",
    "a\u202eb",
]


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch):
    """A width for all, whatever terminal runs the tests."""
    monkeypatch.setenv("COLUMNS", "80")


def lines(capsys):
    """What was printed, without the space at the right."""
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_numbers_stand_at_the_right_and_words_at_the_left(capsys):
    """A dash and a signed number are numbers; the first column holds names, whatever they are."""
    print_table(("image", "score", "rank"), [("1.png", "0.50", "Strong"), ("12.png", None, "–")])
    assert [line for line in lines(capsys) if line] == [
        " image   score  rank",
        " ─────────────────────",
        " 1.png    0.50  Strong",
        " 12.png      –  –",
    ]


@pytest.mark.parametrize("name", STRANGE)
def test_a_strange_name_is_printed_as_it_is(capsys, name):
    """Nothing in it is taken as markup; what would steer the terminal is escaped."""
    expected = printable(name)
    print_table(("image", name), [(name, 1)], title=name)
    print_line(name)
    out = lines(capsys)
    assert sum(expected in line for line in out) == 4
    assert not any(c in "".join(out) for c in "\x1b\r\udcff\u202e")


def test_a_text_keeps_its_style(capsys, monkeypatch):
    """Rich's own Text may be bold."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    print_table(("rater", "votes"), [(Text("all", "bold"), 3)])
    assert "\x1b[1mall" in capsys.readouterr().out


@pytest.fixture
def terminal(monkeypatch):
    """Rich takes the output for a terminal of eighty columns."""
    for name, value in (("FORCE_COLOR", "1"), ("NO_COLOR", "1"), ("TERM", "xterm")):
        monkeypatch.setenv(name, value)


def test_the_first_column_folds_after_the_others(capsys, terminal):
    """On a terminal others make room for it; those in `one_line` are asked for."""
    words = "one two three four five six seven eight nine ten eleven twelve"
    print_table(("name", "words"), [(words, words)])
    assert any(words in line for line in lines(capsys))
    print_table(("name", "words"), [(words, words[:39])], one_line=["words"])
    out = lines(capsys)
    assert any(words[:39] in line for line in out)
    assert not any(words in line for line in out)


@pytest.mark.parametrize("length", [10, 70, 79, 80, 200])
def test_a_long_name_hides_nothing(capsys, terminal, length):
    """It folds; the numbers beside it and its own last character are there."""
    name = "x" * (length - 1) + "y"
    print_table(("image", "rater", *"abcde"), [(name, "z" * 30, *[12345.678] * 5)])
    out = "\n".join(lines(capsys))
    assert out.count("12345.678") == 5
    assert (out.count("x"), out.count("y"), out.count("z")) == (length - 1, 1, 30)
    assert "…" not in out
    assert max(map(len, re.sub("\x1b.*?m", "", out).splitlines())) <= 80


def test_numbers_are_not_cut_where_nothing_fits(capsys, terminal):
    """The terminal breaks the lines, or the user makes it wider."""
    print_table(("image", *map(str, range(20))), [("name", *[12345.678] * 20)])
    assert "\n".join(lines(capsys)).count("12345.678") == 20


def test_a_file_or_a_pipe_gets_whole_rows(capsys):
    """Each on one line, however long."""
    print_table(("image", "words"), [("x" * 300, "word " * 60 + "end")])
    assert any("x" * 300 in line and line.endswith("end") for line in lines(capsys))


def test_a_line_is_not_broken(capsys):
    """Whoever reads it from a file or a pipe gets one line."""
    print_line("word " * 60)
    assert len(lines(capsys)) == 1


def test_a_table_without_rows_has_its_headings(capsys):
    """An empty table is still a table."""
    print_table(("image", "rank"), [], title="Ranks")
    out = lines(capsys)
    assert out[0] == "Ranks"
    assert out[2].split() == ["image", "rank"]
