"""Read gettext's .po files without a compiler: translators change a text file, and that is all."""

import ast
import io
import re
import struct
from dataclasses import dataclass
from gettext import GNUTranslations

from emorank.errors import RatingError

_LINE = re.compile(r'(msgctxt|msgid|msgid_plural|msgstr(?:\[(\d)\])?)\s+(".*")$')
_NUMBERS = 200  # for which a plural form is tried
FIELD = re.compile(r"\{(\w+)\}")
"""A place in a message that is filled in, by its name."""


@dataclass(frozen=True)
class Message:
    """One message of a catalogue: the English, perhaps with its plural, and what translates it."""

    english: str
    plural: str | None
    translated: tuple[str, ...]


def read_po(content: str, name: str) -> list[Message]:
    """The messages of a .po file, the head (whose English is empty) first; fuzzy ones are left out.

    Raises:
        RatingError: a line is none of a .po file; the error says which.
    """
    messages: list[Message] = []
    parts: dict[str, str] = {}
    fuzzy, last = False, ""

    def take() -> None:
        nonlocal parts, fuzzy
        if "msgid" in parts and not fuzzy:
            forms = tuple(parts[key] for key in sorted(parts) if key.startswith("msgstr"))
            messages.append(Message(parts["msgid"], parts.get("msgid_plural"), forms))
        parts, fuzzy = {}, False

    for number, raw in enumerate(content.removeprefix("\ufeff").splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            if last.startswith("msgstr"):
                take()
            last = ""
            fuzzy = fuzzy or (line.startswith("#,") and "fuzzy" in line)
            continue
        match = _LINE.match(line)
        try:
            text = ast.literal_eval(match[3] if match else line)
        except (SyntaxError, ValueError):
            text = None
        if not isinstance(text, str) or (match is None and not last):
            raise RatingError(f"{name}: line {number} is none of a .po file: {line[:60]}")
        if match:
            if match[1] == "msgid" and last.startswith("msgstr"):
                take()
            last = match[1]
            parts[last] = text
        else:
            parts[last] += text
    take()
    return messages


def translations(messages: list[Message], name: str) -> GNUTranslations:
    """What gettext makes of the messages; those without a translation stay English.

    Raises:
        RatingError: the head's Plural-Forms give no form for some number.
    """
    pairs = {}
    for message in messages:
        if all(message.translated) and message.translated:
            key = message.english
            if message.plural is not None:
                key += f"\0{message.plural}"
            pairs[key] = "\0".join(message.translated)
    if head := pairs.get(""):  # what is compiled here is UTF-8, whatever the file says of itself
        pairs[""] = re.sub(r"charset=\S*", "charset=UTF-8", head)
    try:
        made = GNUTranslations(io.BytesIO(_compiled(pairs)))
        for number in range(_NUMBERS):
            made.ngettext("", "", number)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise RatingError(
            f"{name}: its head has Plural-Forms that cannot be used ({error}); expected such as "
            "nplurals=2; plural=(n != 1);"
        ) from error
    return made


def problems(messages: list[Message]) -> list[str]:
    """What keeps a catalogue from working: a field that is in one of the two texts only.

    The number may be left out of a form for one number.
    """
    found = []
    for message in messages[1:]:
        wanted = _fields(message.english) | _fields(message.plural or "")
        free = {"count"} if message.plural is not None else set()
        found += [
            f"'{text}': expected the fields of '{message.english}'"
            for text in filter(None, message.translated)
            if (_fields(text) ^ wanted) - free
        ]
    return found


def _fields(text: str) -> set[str]:
    return set(FIELD.findall(text))


def _compiled(pairs: dict[str, str]) -> bytes:
    """The bytes of a .mo file (GNU gettext, "The Format of GNU MO Files")."""
    texts = [
        (key.encode(), value.encode()) for key, value in sorted(pairs.items(), key=lambda p: p[0])
    ]
    head, tables = 28, 16 * len(texts)
    place, body = head + tables, b""
    sizes: tuple[list[int], list[int]] = [], []
    for column in (0, 1):
        for pair in texts:
            sizes[column].extend((len(pair[column]), place + len(body)))
            body += pair[column] + b"\0"
    start = struct.pack("<7I", 0x950412DE, 0, len(texts), head, head + tables // 2, 0, 0)
    return start + struct.pack(f"<{4 * len(texts)}I", *sizes[0], *sizes[1]) + body
