"""One database: what its transactions promise, and how its failures look."""

from pathlib import Path

import pytest
from sqlalchemy import text

from emorank.errors import RatingError, StorageError
from emorank.room.database import Database, file_url


@pytest.fixture
def connected(database, tmp_path):
    """A database with a table of numbers."""
    one = Database(database or file_url(tmp_path / "x.db"))
    with one.writing() as connection:
        connection.execute(text("CREATE TABLE numbers (number INTEGER)"))
    yield one
    with one.writing() as connection:
        connection.execute(text("DROP TABLE numbers"))
    one.close()


def count(connection):
    return connection.scalar(text("SELECT count(*) FROM numbers"))


def insert(connection):
    connection.execute(text("INSERT INTO numbers VALUES (1)"))


def test_a_reader_sees_one_state(connected):
    """Whatever is written meanwhile."""
    with connected.reading() as reader:
        assert count(reader) == 0
        with connected.writing() as writer:
            insert(writer)
        assert count(reader) == 0
    with connected.reading() as reader:
        assert count(reader) == 1


def test_a_failed_block_writes_nothing(connected):
    """All of it or nothing, whatever the error."""

    def fail():
        with connected.writing() as connection:
            insert(connection)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with connected.reading() as connection:
        assert count(connection) == 0


def test_a_failure_is_one_line(connected):
    """With the reason that the database gives, and what to do."""
    with (
        pytest.raises(StorageError, match="try again") as caught,
        connected.writing() as connection,
    ):
        connection.execute(text("SELECT 1 FROM nowhere"))
    assert "nowhere" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_sqlite_keeps_what_it_has_acknowledged(tmp_path):
    """A write-ahead log, synchronised at each commit; and keys that refer to rows are checked."""
    database = Database(file_url(tmp_path / "x.db"))
    with database.reading() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys")
        values = [connection.scalar(text(f"PRAGMA {name}")) for name in pragmas]
    assert values == ["wal", 2, 1]
    database.close()


def test_an_address_shows_no_password():
    """In messages."""
    database = Database("postgresql://me:secret@127.0.0.1:1/name")
    assert str(database) == "postgresql+psycopg://me:***@127.0.0.1:1/name"
    database.close()


def test_the_file_is_absolute(monkeypatch, tmp_path):
    """A server may change its folder."""
    monkeypatch.chdir(tmp_path)
    assert file_url(Path("a.db")) == f"sqlite:///{tmp_path}/a.db"


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "postgresql://h:port/x", ""])
def test_other_addresses_are_refused(url):
    """With what is expected."""
    with pytest.raises(RatingError, match=r"expected postgresql\+psycopg://"):
        Database(url)
