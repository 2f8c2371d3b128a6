"""Delimited text: what is read as rows of cells, and what is refused with file and line."""

import pytest

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
    """Where several are allowed; only commas are otherwise."""
    path = table(tmp_path, "a;b,c;d\n1;2;3\n")
    rows = delimited.rows(path, DatasetError, delimiters=",;\t")
    assert [row for _, row in rows] == [["a", "b,c", "d"], ["1", "2", "3"]]
    assert next(delimited.rows(path, DatasetError))[1] == ["a;b", "c;d"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,b\n1,2\n\xff,3\n", "line 3 is not UTF-8"),
        (b"a,b\n1,\0\n", "holds NUL bytes"),
        (b'a,b\n1,"2\n', "line 2 is no CSV"),
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
