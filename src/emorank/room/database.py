"""One database, SQLite or PostgreSQL, and its transactions.

The changes of a `writing` block are on the disk when the block is left: SQLite runs with a
write-ahead log and `synchronous=FULL`, PostgreSQL with its own default. Every failure of the
database itself is a `StorageError`.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from emorank.environment import check_online
from emorank.errors import RatingError, StorageError, needing

WAIT = 30  # seconds for another writer, before that is an error
DIALECTS = ("sqlite", "postgresql")


class Database:
    """Owns the connections to one project's tables.

    The URL is `sqlite:///file` or `postgresql+psycopg://…`; with a schema, one database of
    PostgreSQL may hold several projects.
    """

    def __init__(self, url: str, schema: str | None = None) -> None:
        self.engine, self.dialect = _engine(url, schema)
        self.schema = schema
        # This lock lets waiting threads in as soon as it is free, while SQLite would sleep and try
        # again. SQLite itself keeps other processes apart.
        self._turn = threading.Lock() if self.dialect == "sqlite" else nullcontext()

    def __str__(self) -> str:
        return self.engine.url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads: one state of all tables."""
        with self._begun(write=False) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes; all of it or nothing, durable when the block is left."""
        with self._turn, self._begun(write=True) as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _begun(self, write: bool) -> Iterator[Connection]:
        options: dict[str, Any] = {"write": write}
        if not write and self.dialect == "postgresql":
            # By default each statement would see what others have stored meanwhile.
            options["isolation_level"] = "REPEATABLE READ"
        try:
            with (
                self.engine.connect().execution_options(**options) as connection,
                connection.begin(),
            ):
                yield connection
        except (SQLAlchemyError, PoolTimeout) as error:
            reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            raise StorageError(
                f"{self}: the database does not answer or cannot write ({reason}); nothing of this "
                "was stored: bring it back and try again"
            ) from error


def file_url(path: Path) -> str:
    """The URL of an SQLite file."""
    return f"sqlite:///{path.resolve()}"


def _engine(url: str, schema: str | None) -> tuple[Engine, str]:
    try:
        parsed = make_url(url)
        dialect = parsed.get_backend_name()
        if dialect not in DIALECTS:
            raise RatingError(f"'{dialect}' is no database for emorank; {_EXPECTED}")
        if dialect == "sqlite":
            engine = create_engine(parsed, connect_args={"timeout": WAIT})
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine, dialect
        check_online("a rating project in PostgreSQL", "a project without --database needs none")
        options = f"-csearch_path={schema}" if schema else ""
        with needing("postgresql", "a rating project in PostgreSQL"):
            # A ping before use, so that the pool connects again after a restart of the server.
            return create_engine(
                parsed.set(drivername="postgresql+psycopg"),
                pool_pre_ping=True,
                pool_timeout=WAIT,
                connect_args={"connect_timeout": 5, "options": options},
            ), dialect
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise RatingError(f"this is no address of a database; {_EXPECTED}") from None


_EXPECTED = "expected postgresql+psycopg://user@host/name, or nothing for a file of SQLite"


def _prepare_sqlite(connection: Any, _: Any) -> None:
    # Python's module must not begin transactions by itself: `_begin_sqlite` does.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once: SQLite refuses a transaction that reads first and wants
    # to write when another one has written.
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
