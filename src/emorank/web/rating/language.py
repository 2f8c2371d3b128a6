"""In which language a rater's page is, and its words.

The language of a rater is chosen once, when the link is claimed, and kept with the session. Before
that it is what the address asks for (`?lang=de`), or what the browser prefers among those that the
study offers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from gettext import GNUTranslations
from importlib.resources import files
from typing import Any, cast

from fastapi import Request
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from emorank.errors import RatingError
from emorank.room.protocol import Languages, Words, in_language
from emorank.vocabulary import Emotion
from emorank.web.rating.catalogue import FIELD, problems, read_po, translations
from emorank.web.templating import page
from emorank.web.visitors import guest

SHIPPED = {"en": "English", "de": "Deutsch", "es": "Español", "fr": "Français", "zh": "中文"}
ENGLISH = "en"
_UNSPACED = {"ja", "zh"}
_RIGHT_TO_LEFT = {"ar", "fa", "he", "ur"}


@dataclass(frozen=True)
class Language:
    """One language; called with an English message it gives the words, safe in a page.

    `{fields}` in the message are filled in, escaped.
    """

    code: str
    name: str
    catalogue: GNUTranslations

    def __call__(self, message: str, **values: object) -> Markup:
        """The message in this language."""
        return _filled(self.catalogue.gettext(message), values)

    def plural(self, one: str, many: str, count: int, **values: object) -> Markup:
        """The form of the message for a number, which `{count}` stands for."""
        text = self.catalogue.ngettext(one, many, count)
        return _filled(text, {"count": count, **values})

    def emotion(self, word: str) -> str:
        """The noun for an emotion, as it stands in the question."""
        return self.catalogue.gettext(NOUNS.get(word, word))

    def own(self, words: Words) -> str:
        """The study's own text in this language."""
        return in_language(words, self.code)

    @property
    def tag(self) -> str:
        """The code as HTML writes it: "pt-BR"."""
        return self.code.replace("_", "-")

    @property
    def gap(self) -> str:
        """What stands between two sentences."""
        return "" if self.code.partition("_")[0] in _UNSPACED else " "

    @property
    def direction(self) -> str:
        """Which way it is written: "ltr" or "rtl"."""
        return "rtl" if self.code.partition("_")[0] in _RIGHT_TO_LEFT else "ltr"


# Emotions as nouns, for "does this face express …".
NOUNS = {
    Emotion.ANGER.value: "anger",
    Emotion.CONTEMPT.value: "contempt",
    Emotion.DISGUST.value: "disgust",
    Emotion.FEAR.value: "fear",
    Emotion.HAPPY.value: "happiness",
    Emotion.SADNESS.value: "sadness",
    Emotion.SURPRISE.value: "surprise",
    Emotion.NEUTRAL.value: "neutral",
}


class Choice:
    """The languages that a study offers."""

    def __init__(self, languages: Languages) -> None:
        unknown = [code for code in languages.offered if code not in {*SHIPPED, *languages.files}]
        if unknown:
            raise RatingError(
                f"no catalogue for the language {unknown[0]}; there are "
                f"{', '.join({*SHIPPED, *languages.files})}, others come from a .po file"
            )
        codes = languages.offered or (*SHIPPED, *languages.files)
        self.offered = {code: _language(code, languages.files) for code in codes}

    @cached_property
    def first(self) -> Language:
        """That of everybody whose wish cannot be met; English, where it is offered to all."""
        return next(iter(self.offered.values()))

    def wished(self, request: Request) -> Language:
        """What the address asks for, or else the browser, or else the first."""
        asked = request.query_params.get("lang", "")
        for code in (asked, *_accepted(request.headers.get("accept-language", ""))):
            if found := self._found(code):
                return found
        return self.first

    def of(self, request: Request) -> Language:
        """That of the rater's session; without one what is wished."""
        known = guest(request, owner=False)
        kept = None if known is None or known.language is None else self._found(known.language)
        return kept or self.wished(request)

    def _found(self, code: str) -> Language | None:
        wanted = code.replace("-", "_").lower()
        for exact in (True, False):
            for name, language in self.offered.items():
                same = name.lower() if exact else name.lower().partition("_")[0]
                if same == (wanted if exact else wanted.partition("_")[0]) and wanted:
                    return language
        return None


def shipped_po(code: str) -> str:
    """The catalogue of a language that comes with emorank; that of "en" is empty, to be filled."""
    return (files("emorank.web.rating") / "languages" / f"{code}.po").read_text(encoding="utf-8")


def choice_of(request: Request) -> Choice:
    """The languages of the project that is served."""
    return cast(Choice, request.app.state.languages)


def language_of(request: Request) -> Language:
    """In which language this request is answered."""
    return choice_of(request).of(request)


def page_in(language: Language, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Render a rater's page: `_`, `_n` and `language` are there in its template."""
    return page(template, status, _=language, _n=language.plural, language=language, **values)


def _language(code: str, given: Mapping[str, str]) -> Language:
    messages = read_po(given[code] if code in given else shipped_po(code), f"{code}.po")
    if wrong := problems(messages):
        raise RatingError(f"{code}.po: {wrong[0]}")
    catalogue = translations(messages, f"{code}.po")
    return Language(
        code, SHIPPED.get(code) or catalogue.info().get("language-name", code), catalogue
    )


def _filled(text: str, values: Mapping[str, object]) -> Markup:
    """The text, escaped, with its {fields} filled in; other braces are text like all other."""
    parts = FIELD.split(text)  # text, field, text, field, text …
    for place in range(1, len(parts), 2):
        name = parts[place]
        parts[place] = str(escape(values[name])) if name in values else f"{{{name}}}"
    parts[::2] = (str(escape(part)) for part in parts[::2])
    return Markup("".join(parts))  # noqa: S704 - every part is escaped


def _accepted(header: str) -> Sequence[str]:
    """The languages of an Accept-Language header, the dearest first."""
    wishes = []
    for part in header[:500].split(","):
        code, _, weight = part.strip().partition(";q=")
        try:
            wishes.append((-float(weight or 1), code.strip()))
        except ValueError:
            continue
    return [code for _, code in sorted(wishes, key=lambda wish: wish[0])]
