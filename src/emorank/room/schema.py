"""The tables of a rating project, the same for SQLite and PostgreSQL.

`migrations.py` makes these tables; a test compares the two. Times are milliseconds since 1970 by
the server's clock and are for people to read. The order of events is that of `events.seq`, which
does not depend on a clock.
"""

import sqlalchemy as sa

METADATA = sa.MetaData()

# One row: what the project is. `question` holds {emotion} where the word goes.
PROJECT = sa.Table(
    "project",
    METADATA,
    sa.Column(
        "id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False
    ),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("ordering", sa.Text, nullable=False),
    sa.Column("repeats", sa.Double, nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("base_url", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("closed_at", sa.BigInteger),
    # How faces are shown. Missing in projects that are older than the choice.
    sa.Column("face_size", sa.Integer),
    sa.Column("background", sa.Text),
    sa.Column("shortest_ms", sa.BigInteger, nullable=False),
)

# Declarations of the rule that leaves raters out, in their order; see `rules.py`.
RULES = sa.Table(
    "rules",
    METADATA,
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("answers", sa.BigInteger, nullable=False),
)

# Raters of whom nothing personal is left; see `forget.py`.
FORGOTTEN = sa.Table(
    "forgotten",
    METADATA,
    sa.Column("rater_id", sa.Text, sa.ForeignKey("raters.id"), primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("answers", sa.Integer, nullable=False),
)

# `id` is random and is the picture's file name; `name` is the data set's; only exports have it.
IMAGES = sa.Table(
    "images",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("emotion", sa.Text, nullable=False),
    sa.Column("person", sa.Text),
    sa.UniqueConstraint("name", "emotion"),
)

# Two faces that are compared. The pair is a row of `images` itself, without a picture, because what
# raters rate is a row there.
PAIRS = sa.Table(
    "pairs",
    METADATA,
    sa.Column("image_id", sa.Text, sa.ForeignKey("images.id"), primary_key=True),
    sa.Column("first_id", sa.Text, sa.ForeignKey("images.id"), nullable=False),
    sa.Column("second_id", sa.Text, sa.ForeignKey("images.id"), nullable=False),
    sa.UniqueConstraint("first_id", "second_id"),
)

# One row: scale and overlap; see `design.Design`. Missing in projects that are older than it.
DESIGN = sa.Table(
    "design",
    METADATA,
    sa.Column(
        "id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False
    ),
    sa.Column("scale", sa.Text, nullable=False),
    sa.Column("levels", sa.Text, nullable=False),
    sa.Column("ties", sa.Integer, nullable=False),
    sa.Column("per_rater", sa.Integer),
    sa.Column("per_unit", sa.Integer),
    sa.Column("pairs_per_face", sa.Integer),
    sa.Column("keep_days", sa.Integer),
)

RATERS = sa.Table(
    "raters",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
)

# The stored permutation of each rater. A browser gets only `id`, which is random: an address shows
# neither an image's name nor that a picture comes a second time.
SHOWINGS = sa.Table(
    "showings",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("rater_id", sa.Text, sa.ForeignKey("raters.id"), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("image_id", sa.Text, sa.ForeignKey("images.id"), nullable=False),
    sa.Column("repeat", sa.Integer, sa.CheckConstraint("repeat IN (0, 1)"), nullable=False),
    # Of a pair: whether its first face stands on the right.
    sa.Column("swapped", sa.Integer),
    sa.UniqueConstraint("rater_id", "position"),
    sa.UniqueConstraint("rater_id", "image_id", "repeat"),
)

# All that has happened; triggers refuse to change or delete a row.
EVENTS = sa.Table(
    "events",
    METADATA,
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("rater_id", sa.Text, sa.ForeignKey("raters.id")),
    sa.Column("showing_id", sa.Text, sa.ForeignKey("showings.id")),
    sa.Column("answer", sa.Text),
    sa.Column("reaction_ms", sa.BigInteger),
    sa.Column("hidden_ms", sa.BigInteger),
    sa.Column("submission", sa.Text),
    sa.Column("display", sa.BigInteger, sa.ForeignKey("displays.number")),
    sa.Column("shortest_ms", sa.BigInteger),
    # How long the face was to be seen, and how long the browser measured that it was.
    sa.Column("exposure_ms", sa.BigInteger),
    sa.Column("shown_ms", sa.BigInteger),
    # How often it began to be shown for that time, as far as the browser knows.
    sa.Column("times_shown", sa.BigInteger),
    # What else the event is about: the id of a trial, the hash of a text.
    sa.Column("detail", sa.Text),
    sa.UniqueConstraint("rater_id", "submission"),
)

# The current answer to each showing: one, because the showing is the key.
VOTES = sa.Table(
    "votes",
    METADATA,
    sa.Column("showing_id", sa.Text, sa.ForeignKey("showings.id"), primary_key=True),
    # A word of the project's scale or the position of a slider; `store.submit` checks it.
    sa.Column("answer", sa.Text, sa.CheckConstraint("answer <> ''"), nullable=False),
    sa.Column("reaction_ms", sa.BigInteger),
    sa.Column("hidden_ms", sa.BigInteger),
    sa.Column("at", sa.BigInteger),
    sa.Column("seq", sa.BigInteger, sa.ForeignKey("events.seq"), nullable=False, unique=True),
    sa.Column("shortest_ms", sa.BigInteger),
    sa.Column("exposure_ms", sa.BigInteger),
    sa.Column("shown_ms", sa.BigInteger),
    sa.Column("times_shown", sa.BigInteger),
)

# Of secrets only the SHA-256 is stored. Without a rater it is the owner's. `base_url` is what the
# link began with when it was printed.
INVITES = sa.Table(
    "invites",
    METADATA,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("rater_id", sa.Text, sa.ForeignKey("raters.id")),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("claimed_at", sa.BigInteger),
    sa.Column("revoked_at", sa.BigInteger),
    sa.Column("base_url", sa.Text),
)

SESSIONS = sa.Table(
    "sessions",
    METADATA,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("rater_id", sa.Text, sa.ForeignKey("raters.id")),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("revoked_at", sa.BigInteger),
    sa.Column("language", sa.Text),
)

# What a rater's session saw the faces on, a new row when that changes; see `displays.Display`.
DISPLAYS = sa.Table(
    "displays",
    METADATA,
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("session", sa.Text, sa.ForeignKey("sessions.hash"), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("theme", sa.Text, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("pixel_ratio", sa.Double, nullable=False),
    sa.Column("face_px", sa.Integer, nullable=False),
    sa.Column("pointer", sa.Text, nullable=False),
    sa.Column("browser", sa.Text, nullable=False),
)

# One row, if the study declares something: `protocol.Protocol` as JSON; the file as it was given;
# and what the open link ends with.
PROTOCOL = sa.Table(
    "protocol",
    METADATA,
    sa.Column(
        "id", sa.Integer, sa.CheckConstraint("id = 1"), primary_key=True, autoincrement=False
    ),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("open_key", sa.Text),
)

CONSENTS = sa.Table(
    "consents",
    METADATA,
    sa.Column("rater_id", sa.Text, sa.ForeignKey("raters.id"), primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("text_hash", sa.Text, nullable=False),
)

# Practice and checks, which no result counts: a rater's own plan of them, and the answers. The
# position of a check is among the rater's showings.
TRIALS = sa.Table(
    "trials",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("rater_id", sa.Text, sa.ForeignKey("raters.id"), nullable=False),
    sa.Column("kind", sa.Text, sa.CheckConstraint("kind IN ('practice', 'check')"), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("picture", sa.Text, nullable=False),
    sa.Column("emotion", sa.Text, nullable=False),
    sa.Column("expected", sa.Text, nullable=False),
    sa.Column("answer", sa.Text),
    sa.Column("reaction_ms", sa.BigInteger),
    sa.Column("hidden_ms", sa.BigInteger),
    sa.Column("exposure_ms", sa.BigInteger),
    sa.Column("shown_ms", sa.BigInteger),
    sa.Column("at", sa.BigInteger),
    sa.Column("seq", sa.BigInteger, sa.ForeignKey("events.seq")),
    # Of a pair, the one on the right.
    sa.Column("beside", sa.Text),
    sa.Column("times_shown", sa.BigInteger),
    sa.UniqueConstraint("rater_id", "kind", "position"),
)

# What raters say about themselves: under a key that only `demographic_keys` connects with a rater.
DEMOGRAPHIC_KEYS = sa.Table(
    "demographic_keys",
    METADATA,
    sa.Column("rater_id", sa.Text, sa.ForeignKey("raters.id"), primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
)

DEMOGRAPHICS = sa.Table(
    "demographics",
    METADATA,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("question", sa.Text, primary_key=True),
    sa.Column("answer", sa.Text, nullable=False),
)

# Who came by the open link, with the ids of the panel; personal, and no part of any export of
# answers.
PARTICIPANTS = sa.Table(
    "participants",
    METADATA,
    sa.Column("rater_id", sa.Text, sa.ForeignKey("raters.id"), primary_key=True),
    sa.Column("participant", sa.Text, nullable=False, unique=True),
    sa.Column("study", sa.Text, nullable=False),
    sa.Column("session", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)

MIGRATIONS_TABLE = sa.Table(
    "migrations",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)

VOTED = (
    VOTES.join(SHOWINGS, SHOWINGS.c.id == VOTES.c.showing_id)
    .join(IMAGES, IMAGES.c.id == SHOWINGS.c.image_id)
    .join(RATERS, RATERS.c.id == SHOWINGS.c.rater_id)
)
"""Each answer with its showing, picture and rater."""
