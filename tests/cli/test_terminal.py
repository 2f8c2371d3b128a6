"""Tables and lines on the terminal: strange names, alignment, what stays on one line."""

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


def test_the_first_column_does_not_wrap(capsys):
    """Others make room for it; those in `one_line` are asked for."""
    words = "one two three four five six seven eight nine ten eleven twelve"
    print_table(("name", "words"), [(words, words)])
    assert any(words in line for line in lines(capsys))
    print_table(("name", "words"), [(words, words[:39])], one_line=["words"])
    out = lines(capsys)
    assert any(words[:39] in line for line in out)
    assert not any(words in line for line in out)


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
