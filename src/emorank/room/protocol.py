"""What a study declares about its course: consent, languages, practice, checks, breaks, exposure.

A file says it, in TOML; `read_protocol` reads it once, when the project is made, and from then on
the database has it, with the texts and the ids of the pictures. So what raters agreed to cannot
change under them.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, select

from emorank.answers.scales import Scale
from emorank.errors import EmorankError, RatingError
from emorank.room.project import Project
from emorank.room.reasons import reason
from emorank.room.schema import PROTOCOL
from emorank.vocabulary import Emotion

Words = str | dict[str, str]
"""A text in one language, or one for each: {en = "…", de = "…"}."""
SECONDS_PER_FACE = 4.0
_MOST_TEXT, _MOST_PICTURES, _MOST_QUESTIONS = 40_000, 200, 30
_CODE = re.compile(r"[a-z]{2,3}(_[A-Z]{2}|-[A-Za-z]{2,8})?")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SIDES = ("image", "left", "right")
_PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A table of the file; a key that it does not know is an error."""


class Languages(_Part, frozen=True):
    """Of the raters' pages.

    Attributes:
        offered: codes; a browser's wish chooses among them, the first one serves all others.
            Empty: all that there are.
        files: catalogues of further languages (gettext's .po); in the database, code → content.
    """

    offered: tuple[str, ...] = ()
    files: dict[str, str] = {}


class Consent(_Part, frozen=True):
    """The page of information and consent.

    Attributes:
        text: a file of Markdown, or one per language; in the database its content. Empty: a text
            that lists what is kept.
        contact: whom to ask, shown with the text that comes with emorank.
        kept: how long answers are kept, in words: "until the end of 2030".
    """

    text: Words = ""
    contact: Words = ""
    kept: Words = ""


class Shown(_Part, frozen=True):
    """A picture, or a pair of them, that is not rated: an example, for practice, or a check.

    Attributes:
        image: its file; in the database the id of the picture.
        left, right: of a pair, instead of `image`.
        level: the answer that is expected, one that `Scale.expects`.
    """

    emotion: str
    level: str | int
    image: str = ""
    left: str = ""
    right: str = ""

    @property
    def pictures(self) -> tuple[str, ...]:
        """Its pictures, of a pair the left one first."""
        return tuple(filter(None, (self.image, self.left, self.right)))

    @property
    def expected(self) -> str:
        """The answer as it is stored; a slider's position may be a number in the file."""
        return str(self.level)


class Practice(_Part, frozen=True):
    """Faces before the study; `feedback` says after each answer which level was expected."""

    faces: tuple[Shown, ...] = ()
    feedback: bool = True


class Breaks(_Part, frozen=True):
    """A page to rest after so many faces."""

    every: int


class Exposure(_Part, frozen=True):
    """Each face is shown for a fixed time, in ms; the answer is given when it is gone.

    Attributes:
        face_ms: of the face.
        fixation_ms: of the cross before it, 0 for none.
        mask_ms: of the mask after it, 0 for none.
        mask: "blank" (the background) or "noise" (grey squares).
    """

    face_ms: int
    fixation_ms: int = 500
    mask_ms: int = 0
    mask: Literal["blank", "noise"] = "blank"


class Question(_Part, frozen=True):
    """One of the optional questions about the rater, which everybody may leave unanswered.

    Attributes:
        key: its column in the export: "age".
        words: the question; empty for `age` and `gender`, which come with emorank.
        kind: "number" (with `least` and `most`), "choice" (with `options`) or "text".
        options: the answers to choose from, value → words.
    """

    key: str
    kind: Literal["number", "choice", "text"]
    words: Words = ""
    least: int = 0
    most: int = 0
    options: dict[str, Words] = {}


class OpenLink(_Part, frozen=True):
    """One link for all, by which people come from a panel such as Prolific.

    Attributes:
        most: how many may come.
        participant, study, session: the parameters of the address that hold these ids; besides,
            `participant` always does.
        anonymous: whether people without an id may come; each browser is then somebody new.
    """

    most: int
    participant: str = "PROLIFIC_PID"
    study: str = "STUDY_ID"
    session: str = "SESSION_ID"
    anonymous: bool = False


class Completion(_Part, frozen=True):
    """What a rater gets at the end: a code, and an address to go to, with {code} in it perhaps."""

    code: str = ""
    address: str = ""


class Protocol(_Part, frozen=True):
    """All that a study declares beyond the options of `emorank rate new`."""

    languages: Languages = Languages()
    title: dict[str, str] = {}
    question: dict[str, str] = {}
    consent: Consent | None = None
    examples: tuple[Shown, ...] = ()
    practice: Practice = Practice()
    checks: tuple[Shown, ...] = ()
    breaks: Breaks | None = None
    exposure: Exposure | None = None
    demographics: tuple[Question, ...] = ()
    open_link: OpenLink | None = None
    completion: Completion | None = None
    seconds_per_face: float = SECONDS_PER_FACE

    @property
    def pictures(self) -> tuple[Shown, ...]:
        """All pictures that are not rated."""
        return (*self.examples, *self.practice.faces, *self.checks)

    @property
    def trial_ms(self) -> float:
        """How long one face takes a rater."""
        shown = self.exposure
        more = 0 if shown is None else shown.fixation_ms + shown.face_ms + shown.mask_ms
        return 1000 * self.seconds_per_face + more


PARTS = tuple(Protocol.__struct_fields__)


@dataclass(frozen=True)
class Declared:
    """A file, read: `options` are those of `emorank rate new`; pictures lie beside it."""

    options: Mapping[str, Any]
    protocol: Protocol
    content: str
    folder: Path


def read_protocol(path: Path) -> Declared:
    """Read the file of a study and the texts that it names; it says what is wrong, and where.

    Raises:
        RatingError: it is missing, no TOML, or declares something that is unknown or impossible.
    """
    try:
        content = path.read_text(encoding="utf-8")
        table = tomllib.loads(content)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RatingError(f"{path}: cannot be read as TOML ({error})") from error
    parts = {key: table.pop(key) for key in PARTS if key in table}
    for key in ("title", "question"):
        if isinstance(parts.get(key), str):
            table[key] = parts.pop(key)
    try:
        _load_files(parts, path.parent)
        protocol = msgspec.convert(parts, Protocol)
        _check(protocol)
    except msgspec.ValidationError as error:
        raise RatingError(f"{path}: {reason(error)}") from error
    except RatingError as error:
        raise RatingError(f"{path}: {error}") from error
    for key in ("title", "question"):
        if words := getattr(protocol, key):
            table[key] = words.get("en") or next(iter(words.values()))
    return Declared(table, protocol, content, path.parent)


def protocol_of(project: Project) -> Protocol:
    """What a project declares; that of a project without a file is empty."""
    with project.database.reading() as connection:
        return declared(connection)


def declared(connection: Connection) -> Protocol:
    """The same within a transaction."""
    content = connection.scalar(select(PROTOCOL.c.content))
    return Protocol() if content is None else msgspec.json.decode(content, type=Protocol)


def stored(protocol: Protocol, pictures: Mapping[str, str]) -> str:
    """The JSON for the database, with the ids of pictures in the place of their files."""

    def named(shown: tuple[Shown, ...]) -> tuple[Shown, ...]:
        return tuple(
            msgspec.structs.replace(
                one,
                **{side: pictures[file] for side in _SIDES if (file := getattr(one, side))},
            )
            for one in shown
        )

    practice = msgspec.structs.replace(protocol.practice, faces=named(protocol.practice.faces))
    return msgspec.json.encode(
        msgspec.structs.replace(
            protocol,
            examples=named(protocol.examples),
            practice=practice,
            checks=named(protocol.checks),
        )
    ).decode()


def check_scale(protocol: Protocol, scale: Scale) -> None:
    """Refuse examples, practice and checks that expect what raters cannot answer.

    Raises:
        RatingError: a level is none of the scale, or a picture is there where a pair belongs.
    """
    possible = {
        "levels": ", ".join((*scale.levels, "None")),
        "slider": "a position from 0 to 100, a range such as '70-100', or None",
        "pairs": "Left or Right" + (", or Tie" if scale.ties else ""),
    }[scale.kind]
    for shown in protocol.pictures:
        where, pair = " and ".join(shown.pictures) or shown.emotion, scale.kind == "pairs"
        if pair != bool(shown.left and shown.right) or pair == bool(shown.image):
            needed = "left and right, two pictures" if pair else "image, one picture"
            raise RatingError(f"{where}: on the scale '{scale.name}' it needs {needed}")
        if not scale.expects(shown.expected):
            raise RatingError(
                f"{where}: level = '{shown.expected}', but raters can answer only with {possible}"
            )


def hash_of(text: str) -> str:
    """The SHA-256 of a text, by which a consent names what was agreed to."""
    return hashlib.sha256(text.encode()).hexdigest()


def in_language(words: Words, language: str) -> str:
    """A text in a language; in English where it has not that one, and else in any."""
    if isinstance(words, str):
        return words
    found = words.get(language) or words.get(language.partition("_")[0]) or words.get("en")
    return found or next(iter(words.values()), "")


def _load_files(parts: dict[str, Any], folder: Path) -> None:
    """Put the content of the files that are named in their places."""
    consent, languages = parts.get("consent"), parts.get("languages")
    if isinstance(consent, dict) and (text := consent.get("text")):
        consent["text"] = (
            {key: _text(folder, name) for key, name in text.items()}
            if isinstance(text, dict)
            else _text(folder, text)
        )
    if isinstance(languages, dict) and isinstance(files := languages.get("files"), dict):
        languages["files"] = {key: _text(folder, name, 2_000_000) for key, name in files.items()}


def _text(folder: Path, name: object, most: int = _MOST_TEXT) -> str:
    if not isinstance(name, str):
        raise RatingError(f"expected the name of a file, came {name!r}")
    try:
        text = (folder / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise RatingError(f"the text {name} cannot be read ({error})") from error
    if not text.strip() or len(text) > most:
        raise RatingError(f"the text {name} has {len(text)} characters; expected 1 to {most}")
    return text


def _check(protocol: Protocol) -> None:
    for problem in _problems(protocol):
        raise RatingError(problem)


def _problems(protocol: Protocol) -> Iterator[str]:
    """What is impossible although its type is right."""
    codes = (*protocol.languages.offered, *protocol.languages.files, *protocol.title)
    for code in (*codes, *protocol.question):
        if not _CODE.fullmatch(code):
            yield f"'{code}' is no code of a language; expected one such as de or pt_BR"
    for words in protocol.question.values():
        if words.count("{emotion}") != 1:
            yield f"[question]: '{words}' has not {{emotion}} in it once, where the word goes"
    for shown in protocol.pictures:
        try:
            Emotion.parse(shown.emotion)
        except EmorankError as error:
            yield f"{' and '.join(shown.pictures)}: {error}"
    if len(protocol.pictures) > _MOST_PICTURES:
        yield f"{len(protocol.pictures)} examples, practice faces and checks; expected at most 200"
    if protocol.breaks and not 1 <= protocol.breaks.every <= 10_000:
        yield f"[breaks] every = {protocol.breaks.every}; expected 1 to 10000 faces"
    if not 0.1 <= protocol.seconds_per_face <= 600:
        yield f"seconds_per_face = {protocol.seconds_per_face:g}; expected 0.1 to 600"
    if (times := protocol.exposure) is not None:
        for name, least in (("face_ms", 10), ("fixation_ms", 0), ("mask_ms", 0)):
            if not least <= getattr(times, name) <= 60_000:
                yield f"[exposure] {name} = {getattr(times, name)}; expected {least} to 60000"
    yield from _about_questions(protocol.demographics)
    yield from _about_links(protocol)


def _about_questions(questions: tuple[Question, ...]) -> Iterator[str]:
    keys = [question.key for question in questions]
    if len({*keys}) < len(keys) or len(keys) > _MOST_QUESTIONS:
        yield f"[demographics]: expected at most {_MOST_QUESTIONS} questions, each with its own key"
    for question in questions:
        at = f"[demographics] {question.key}"
        if not _KEY.fullmatch(question.key):
            yield f"{at}: expected a key of small letters, digits and _, such as age"
        if question.kind == "number" and not 0 <= question.least < question.most <= 1_000_000:
            yield f"{at}: a number needs least and most, from 0 to 1000000"
        if question.kind == "choice" and not question.options and question.key != "gender":
            yield f"{at}: a choice needs options"
        if not question.words and question.key not in ("age", "gender"):
            yield f"{at}: the question's words are missing"
        if any(not _KEY.fullmatch(value) for value in question.options):
            yield f"{at}: the values of options are of small letters, digits and _"


def _about_links(protocol: Protocol) -> Iterator[str]:
    if (link := protocol.open_link) is not None:
        if not 1 <= link.most <= 1000:
            yield f"[open_link] most = {link.most}; expected 1 to 1000 people"
        for name in ("participant", "study", "session"):
            if not _PARAMETER.fullmatch(getattr(link, name)):
                yield f"[open_link] {name}: expected the name of a parameter, such as PROLIFIC_PID"
    if (end := protocol.completion) is not None:
        if end.address and not re.match(r"https?://[^\s/]+", end.address):
            yield "[completion] address: expected one that begins with https://"
        if not re.fullmatch(r"[A-Za-z0-9_-]{0,64}", end.code):
            yield "[completion] code: expected at most 64 letters, digits, - and _"
        if not (end.code or end.address):
            yield "[completion]: expected a code, an address, or both"
