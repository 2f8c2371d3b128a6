"""Delimited text: what is read as rows of cells, and what is refused with file and line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorank import delimited
from emorank.errors import DatasetError, VotesError


def table(tmp_path, content):
    path = tmp_path / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_rows_with_the_number_of_their_last_line(tmp_path):
    """A quoted cell may run over lines; empty lines count as lines and are no rows."""
    path = table(tmp_path, '\ufeffa,b\r\n\r\n  \n"1\n2",3\n,\n')
    assert list(delimited.rows(path, DatasetError)) == [
        (1, ["a", "b"]),
        (5, ["1\n2", "3"]),
        (6, ["", ""]),
    ]


def test_the_separator_is_the_most_frequent_in_the_first_line(tmp_path):
    """A comma, semicolon or tab outside of quotes, or what Excel says; or of those asked for."""
    path = table(tmp_path, "a;b,c;d\n1;2;3\n")
    rows = delimited.rows(path, DatasetError)
    assert [row for _, row in rows] == [["a", "b,c", "d"], ["1", "2", "3"]]
    assert next(delimited.rows(path, DatasetError, delimiters=","))[1] == ["a;b", "c;d"]
    for content in ('"a,b,c";d\n1;2\n', "\n\na,b,c;;;;d\n", "sep=;\na,b,c;d\n1;2\n"):
        numbered = list(delimited.rows(table(tmp_path, content), DatasetError))
        assert numbered[0][1][0] == "a,b,c"
    assert [number for number, _ in numbered] == [2, 3]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_one_dialect(tmp_path, encoding, separator):
    """As spreadsheets of many countries save it; a comma that separates nothing is decimal."""
    comma = '"0,5"' if separator == "," else "0,5"
    content = f'image{separator}score\r\n"Zoë{separator}.jpg"{separator}{comma}\r\n'
    rows = delimited.rows(table(tmp_path, content.encode(encoding)), DatasetError)
    score = "0,5" if separator == "," else "0.5"
    assert [row for _, row in rows] == [["image", "score"], [f"Zoë{separator}.jpg", score]]


def test_only_numbers_have_decimal_commas(tmp_path):
    """Other commas stay."""
    path = table(tmp_path, "a;b\n-1,5;,5\n1,2,3;1,5 cm\nx,1;2,5e-3\n")
    assert [row for _, row in delimited.rows(path, DatasetError)][1:] == [
        ["-1.5", ".5"],
        ["1,2,3", "1,5 cm"],
        ["x,1", "2.5e-3"],
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,b\n1,2\n\xff,3\n", "line 3 is not UTF-8"),
        (b"a,b\n1,\0\n", "holds NUL bytes"),
        (b'a,b\n1,"2\n', "line 2 is no CSV"),
        (b'sep=,\na,b\n1,"2\n', "line 3 is no CSV"),
        (b"\xff\xfea", "line 1 is not UTF-8"),
        (b'a,b\n1,"2"3\n', "line 2 is no CSV"),
    ],
)
def test_what_is_no_text_table_is_refused(tmp_path, content, words):
    """By the exception that is asked for, with file and line."""
    path = table(tmp_path, content)
    with pytest.raises(VotesError, match=words) as caught:
        list(delimited.rows(path, VotesError))
    assert str(caught.value).startswith(str(path))


def test_damaged_bytes_can_be_replaced(tmp_path):
    """A long list is read although somebody's editor damaged a name."""
    path = table(tmp_path, b"a,b\n\xff,3\n")
    rows = delimited.rows(path, DatasetError, damaged="replace")
    assert [row for _, row in rows] == [["a", "b"], ["\ufffd", "3"]]


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    """A folder, or nothing at all."""
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(DatasetError, match="cannot be read"):
            next(delimited.rows(path, DatasetError))


def test_a_table_is_its_first_row_and_the_others(tmp_path):
    """Nothing at all in an empty file."""
    header, rows = delimited.table(table(tmp_path, "a,b\n1,2\n"), DatasetError)
    assert (header, list(rows)) == (["a", "b"], [(2, ["1", "2"])])
    header, rows = delimited.table(table(tmp_path, "\n"), DatasetError)
    assert (header, list(rows)) == ([], [])


PARTS = (
    "=", "'", "-", "＝", " ", "\t", "\r", "\n", "\\", "x1b", "\x1b", "\x85", "\udcff", "udcff",
    "\u202e", "u202e",
)  # fmt: skip
ODD = st.lists(st.sampled_from(PARTS) | st.characters(exclude_categories=())).map("".join)


@given(st.lists(ODD, min_size=1))
def test_every_text_is_read_as_it_was_written(tmp_path_factory, texts):
    """Formulas, blanks, control characters, damaged names, and what looks like a guard."""
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    delimited.write(path, [("image", "number"), *((text, 0.5) for text in texts)])
    rows = [row for _, row in delimited.rows(path, VotesError)]
    assert rows == [["image", "number"], *([text, "0.5"] for text in texts)]
    raw = path.read_bytes()
    assert not any(byte < 32 or byte == 127 for byte in raw.replace(b"\r\n", b""))
    assert raw.count(b"\r\n") == raw.count(b"\n") == len(texts) + 1


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\\x09=1"),
        ("\r=1", "'\\x0d=1"),
        ("＝1", "'＝1"),
        ("-1+1", "'-1+1"),
        ("-0.5", "-0.5"),
        ("+1e-5", "+1e-5"),
        (-0.5, "-0.5"),
        (None, ""),
        (float("nan"), ""),
        (True, "true"),
        ("\x1b[31mred", "'\\x1b[31mred"),
        ("caf\udce9.jpg", "'caf\\udce9.jpg"),
        ("faces\\x12.png", "faces\\x12.png"),  # a path of Windows
        ('a"b,c', '"a""b,c"'),
    ],
)
def test_no_cell_is_a_formula_or_steers_a_terminal(cell, written):
    """And numbers stay numbers."""
    assert list(delimited.lines([[cell, "end"]])) == [f"{written},end\r\n"]


def test_guards_of_earlier_versions_are_read(tmp_path):
    """They wrote an apostrophe before negative numbers too, and control characters as they are."""
    path = table(tmp_path, "image,a1\r\n'-5,1\r\n'\t=x,2\r\n 'it' ,3\r\n")
    read = [row[0] for _, row in delimited.rows(path, VotesError, strip=True)]
    assert read == ["image", "-5", "\t=x", "'it'"]


def test_a_file_is_written_whole_or_stays_as_it_was(tmp_path):
    """A row that cannot be made leaves the earlier file, and nothing beside it."""
    path = tmp_path / "table.csv"
    delimited.write(path, [("a",)])

    def rows():
        yield ("b",)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        delimited.write(path, rows())
    assert path.read_text() == "a\n"
    assert list(tmp_path.iterdir()) == [path]
