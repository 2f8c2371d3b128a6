"""The tables of a rating project, the same for SQLite and PostgreSQL.

`migrations.py` makes these tables; a test compares the two. Times are milliseconds since 1970 by
the server's clock and are for people to read. The order of events is that of `events.seq`, which
does not depend on a clock.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from emorank.answers.answers_table import ANSWERS

METADATA = MetaData()

# One row: what the project is. `question` holds {emotion} where the word goes.
PROJECT = Table(
    "project",
    METADATA,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("title", Text, nullable=False),
    Column("question", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("ordering", Text, nullable=False),
    Column("repeats", Double, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("base_url", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
)

# `id` is random and is the picture's file name; `name` is the data set's; only exports have it.
IMAGES = Table(
    "images",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("emotion", Text, nullable=False),
    UniqueConstraint("name", "emotion"),
)

RATERS = Table(
    "raters",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("name", Text, nullable=False, unique=True),
)

# The stored permutation of each rater. A browser gets only `id`, which is random: an address shows
# neither an image's name nor that a picture comes a second time.
SHOWINGS = Table(
    "showings",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("rater_id", Text, ForeignKey("raters.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("image_id", Text, ForeignKey("images.id"), nullable=False),
    Column("repeat", Integer, CheckConstraint("repeat IN (0, 1)"), nullable=False),
    UniqueConstraint("rater_id", "position"),
    UniqueConstraint("rater_id", "image_id", "repeat"),
)

# All that has happened; triggers refuse to change or delete a row.
EVENTS = Table(
    "events",
    METADATA,
    Column("seq", BigInteger, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("rater_id", Text, ForeignKey("raters.id")),
    Column("showing_id", Text, ForeignKey("showings.id")),
    Column("answer", Text),
    Column("reaction_ms", BigInteger),
    Column("hidden_ms", BigInteger),
    Column("submission", Text),
    UniqueConstraint("rater_id", "submission"),
)

# The current answer to each showing: one, because the showing is the key.
VOTES = Table(
    "votes",
    METADATA,
    Column("showing_id", Text, ForeignKey("showings.id"), primary_key=True),
    Column(
        "answer",
        Text,
        CheckConstraint("answer IN ({})".format(", ".join(f"'{word}'" for word in ANSWERS))),
        nullable=False,
    ),
    Column("reaction_ms", BigInteger),
    Column("hidden_ms", BigInteger),
    Column("at", BigInteger),
    Column("seq", BigInteger, ForeignKey("events.seq"), nullable=False, unique=True),
)

# Of secrets only the SHA-256 is stored. Without a rater it is the owner's.
INVITES = Table(
    "invites",
    METADATA,
    Column("hash", Text, primary_key=True),
    Column("rater_id", Text, ForeignKey("raters.id")),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("claimed_at", BigInteger),
    Column("revoked_at", BigInteger),
)

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("hash", Text, primary_key=True),
    Column("rater_id", Text, ForeignKey("raters.id")),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

MIGRATIONS_TABLE = Table(
    "migrations",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("title", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)
