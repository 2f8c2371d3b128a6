"""The tables come about in numbered steps, each whole or not at all."""

import pytest
from sqlalchemy import inspect, text

from emorank.errors import RatingError, StorageError
from emorank.room.database import Database
from emorank.room.migrations import MIGRATIONS, Migration, migrate
from emorank.room.schema import METADATA


@pytest.fixture
def empty(database, tmp_path):
    """A database without a table."""
    if database is None:
        made = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    else:
        schema = f"test_{abs(hash(str(tmp_path))):x}"
        made = Database(database, schema)
        with made.writing() as connection:
            connection.execute(text(f'CREATE SCHEMA "{schema}"'))
    yield made
    made.close()


def tables(database):
    with database.reading() as connection:
        return set(inspect(connection).get_table_names(database.schema))


def test_the_steps_make_what_the_schema_says(empty):
    """Same tables, columns, keys and unique constraints as `schema.py`."""
    assert migrate(empty) == len(MIGRATIONS)
    assert tables(empty) == set(METADATA.tables)
    with empty.reading() as connection:
        found = inspect(connection)
        for name, table in METADATA.tables.items():
            columns = {column["name"]: column for column in found.get_columns(name, empty.schema)}
            assert set(columns) == set(table.columns.keys())
            for column in table.columns:
                if not column.primary_key:
                    assert columns[column.name]["nullable"] == column.nullable, column
            keys = found.get_pk_constraint(name, empty.schema)["constrained_columns"]
            assert keys == [column.name for column in table.primary_key]
            unique = {
                tuple(row["column_names"])
                for row in found.get_unique_constraints(name, empty.schema)
            }
            expected = {
                tuple(c.name for c in constraint.columns)
                for constraint in table.constraints
                if type(constraint).__name__ == "UniqueConstraint"
            }
            assert unique == expected, name


def test_a_second_run_does_nothing(empty):
    """Opening a project again is no migration."""
    migrate(empty)
    assert migrate(empty) == 0


def test_a_step_that_fails_has_not_happened(empty):
    """Neither its tables nor its record; the steps before it stand, and it can be tried again."""
    broken = Migration("broken", ("CREATE TABLE half (id INTEGER)", "CREATE NONSENSE"), {})
    with pytest.raises(StorageError):
        migrate(empty, (*MIGRATIONS, broken))
    assert "half" not in tables(empty)
    mended = Migration("mended", ("CREATE TABLE half (id INTEGER)",), {})
    assert migrate(empty, (*MIGRATIONS, mended)) == 1
    assert "half" in tables(empty)


def test_an_old_database_is_upgraded_with_its_answers(empty):
    """What the first tables held is there afterwards; what they did not know is missing."""
    migrate(empty, MIGRATIONS[:1])
    with empty.writing() as connection:
        for row in (
            "project VALUES (1, 't', 'q', 's', 'mixed', 0, 0, 'http://127.0.0.1:8321', 5, NULL)",
            "images VALUES ('i', 'a.png', 'happy')",
            "raters VALUES ('r', 1, 'r1')",
            "showings VALUES ('s', 'r', 0, 'i', 0)",
            "events VALUES (1, 5, 'vote', 'r', 's', 'Strong', 700, 0, 'id')",
            "votes VALUES ('s', 'Strong', 700, 0, 5, 1)",
        ):
            connection.execute(text(f"INSERT INTO {row}"))
    assert migrate(empty) == len(MIGRATIONS) - 1
    empty_ones = ("design", "displays", "forgotten", "invites", "pairs", "rules", "sessions",
                  "protocol", "consents", "trials", "demographics", "demographic_keys",
                  "participants")  # fmt: skip
    expected = dict.fromkeys(empty_ones, 0) | {"migrations": len(MIGRATIONS)}
    with empty.reading() as connection:
        for name, table in METADATA.tables.items():
            rows = connection.execute(table.select()).mappings().all()
            assert len(rows) == expected.get(name, 1), name
        about = connection.execute(METADATA.tables["project"].select()).one()
        event = connection.execute(METADATA.tables["events"].select()).one()
        vote = connection.execute(METADATA.tables["votes"].select()).one()
    assert (about.face_size, about.background, event.display) == (None, None, None)
    assert (about.shortest_ms, event.shortest_ms, vote.shortest_ms) == (250, None, None)
    assert (event.answer, event.submission) == ("Strong", "id")
    assert (event.exposure_ms, vote.shown_ms, event.detail) == (None, None, None)


def test_a_newer_database_is_left_alone(empty):
    """An older program refuses it and says what to do."""
    migrate(empty, (*MIGRATIONS, Migration("of tomorrow", (), {})))
    with pytest.raises(RatingError, match="newer version; upgrade emorank"):
        migrate(empty)
