"""Tables that people send: bounds, kinds of offences, cells."""

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emorank.answers import tabular
from emorank.answers.tabular import (
    SHOWN,
    Offenders,
    cell_text,
    check_file,
    csv_rows,
    parquet_rows,
    quoted,
)
from emorank.errors import VotesError


def everything(name: str) -> bool:
    return True


def test_offences_are_counted_by_kind():
    """In the order of the first of each kind; after five places only their number is told."""
    offenders = Offenders()
    offenders.raise_if_any("nothing wrong")
    offenders.add("small", "line 1")
    offenders.add("large", *(f"line {number}" for number in range(SHOWN + 2)))
    offenders.add("small", "line 9", count=2)
    expected = [
        "3 × small: line 1; line 9; and 1 more",
        f"{SHOWN + 2} × large: line 0; line 1; line 2; line 3; line 4; and 2 more",
    ]
    assert offenders.lines() == expected
    with pytest.raises(VotesError) as caught:
        offenders.raise_if_any("heading")
    assert str(caught.value).splitlines() == ["heading", *(f"  {line}" for line in expected)]


def test_as_many_places_as_are_shown_have_no_rest():
    """Exactly five are all named."""
    offenders = Offenders()
    offenders.add("small", *"abcde")
    assert offenders.lines() == ["5 × small: a; b; c; d; e"]


def test_a_file_of_the_greatest_size_is_read(tmp_path):
    """One byte more is too much."""
    path = tmp_path / "a"
    path.write_bytes(b"123")
    check_file(path, 3)
    with pytest.raises(VotesError, match="has 3 bytes; expected at most 2"):
        check_file(path, 2)


def test_a_parquet_table_of_the_greatest_size_is_read(tmp_path, monkeypatch):
    """Its bytes as they unfold count, and its rows: sixteen bytes each."""
    path = tmp_path / "a.parquet"
    pd.DataFrame({"a": ["x"] * 100}).to_parquet(path)
    assert pq.ParquetFile(path).metadata.row_group(0).total_byte_size < 1600
    monkeypatch.setattr(tabular, "MAX_BYTES", 1600)
    parquet_rows(path, everything)
    monkeypatch.setattr(tabular, "MAX_BYTES", 1599)
    with pytest.raises(VotesError, match="unfolds to 100 rows"):
        parquet_rows(path, everything)
    pd.DataFrame({"a": [f"{number:040}" for number in range(10)]}).to_parquet(path)
    size = pq.ParquetFile(path).metadata.row_group(0).total_byte_size
    assert size > 160
    monkeypatch.setattr(tabular, "MAX_BYTES", size)
    assert len(list(parquet_rows(path, everything)[1])) == 10
    monkeypatch.setattr(tabular, "MAX_BYTES", size - 1)
    with pytest.raises(VotesError, match=f"{size:,} bytes"):
        parquet_rows(path, everything)


def test_parquet_rows_are_numbered_and_columns_chosen(tmp_path):
    """From 1, as people count."""
    path = tmp_path / "a.parquet"
    pd.DataFrame({"a": ["x", None], "b": [1, 2], "c": [1.0, 2.5]}).to_parquet(path)
    header, rows = parquet_rows(path, lambda name: name != "b")
    assert header == ["a", "c"]
    assert list(rows) == [(1, ["x", "1"]), (2, ["", "2.5"])]


def test_an_error_without_words_is_named(tmp_path, monkeypatch):
    """By its kind."""

    def fail(*_):
        raise pa.ArrowException

    monkeypatch.setattr(pq, "ParquetFile", fail)
    with pytest.raises(VotesError, match="is no Parquet file: ArrowException"):
        parquet_rows(tmp_path, everything)


def test_rows_without_text_are_left_out(tmp_path):
    """Those of blanks and of separators alone; the line numbers stay."""
    path = tmp_path / "a.csv"
    path.write_text("a;b\n ; \n\n1;2\n")
    header, rows = csv_rows(path)
    assert header == ["a", "b"]
    assert list(rows) == [(4, ["1", "2"])]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        (float("nan"), ""),
        (2.0, "2"),
        (2.5, "2.5"),
        (2, "2"),
        (True, "True"),
        ("x", "x"),
    ],
)
def test_a_cell_of_parquet_is_that_of_a_csv(cell, text):
    """Whole numbers of a column with gaps are floats there."""
    assert cell_text(cell) == text


def test_long_texts_are_cut_at_sixty_characters():
    """Control characters are escaped."""
    assert quoted("x" * 60) == repr("x" * 60)
    assert quoted("x" * 61) == repr("x" * 59 + "…")
    assert quoted("\x1b") == r"'\x1b'"
