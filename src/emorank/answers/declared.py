"""What people say about a file of answers that the file does not say: its control, words, cut."""

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from emorank.answers.answers_table import RANKS, parse_answer
from emorank.errors import VotesError
from emorank.naming import whole
from emorank.vocabulary import NONE

Cut = tuple[float, float, float]


@dataclass(frozen=True)
class Declared:
    """How to read the answers of a file.

    Attributes:
        control: of Label Studio, the name of the control that holds the answers; empty for the only
            one that can.
        words: answer (as `ANSWERS`) of each word or number that raters gave, in the form of `_key`.
        cut: the lowest numbers that count as Minimal, Average and Strong, ascending.
    """

    control: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    cut: Cut | None = None

    def answer(self, word: str) -> str:
        """The answer that a word, or a number as text, stands for.

        Raises:
            VotesError: it stands for none.
        """
        if (mapped := self.words.get(_key(word))) is not None:
            return mapped
        if self.cut is not None and (number := _number(word)) is not None:
            return (NONE, *RANKS)[sum(number >= low for low in self.cut)]
        try:
            return parse_answer(word)
        except VotesError as error:
            raise VotesError(f"{error}; or say what it means, with --map WORD=ANSWER") from None

    def number(self, value: float) -> str:
        """The answer that a rating stands for, which is no rank of itself."""
        if self.cut is None and _key(str(value)) not in self.words:
            raise VotesError(
                f"the number {value:g} is no rank of itself; say which numbers are, such as "
                f'--cut 1,2,3 or --map "1=Minimal,2=Average,3=Strong"'
            )
        return self.answer(str(value))


UNSAID = Declared()
"""Nothing is declared: the file's words are ours."""


def declared(
    control: str | None = None,
    words: Mapping[str, str] | None = None,
    cut: Sequence[float] | None = None,
) -> Declared:
    """Check what people say about a file.

    Raises:
        VotesError: a word stands for no answer, or the cut is not three ascending numbers.
    """
    low = tuple(float(number) for number in cut or ())
    if cut and (len(low) != 3 or list(low) != sorted(low) or not all(map(math.isfinite, low))):
        raise VotesError(
            f"cut {','.join(f'{number:g}' for number in low)}: expected the lowest numbers that "
            f"count as Minimal, Average and Strong, ascending, such as 1,2,3"
        )
    answers = {_key(word): parse_answer(answer) for word, answer in (words or {}).items()}
    return Declared((control or "").strip(), answers, low or None)  # type: ignore[arg-type]  # three


def parse_words(text: str) -> dict[str, str]:
    """Read "Low=Minimal,Medium=Average,High=Strong".

    Raises:
        VotesError: a part has no word or no answer, or a word is there twice.
    """
    words: dict[str, str] = {}
    for part in text.split(","):
        word, _, answer = (piece.strip() for piece in part.rpartition("="))
        if not word or not answer or _key(word) in map(_key, words):
            raise VotesError(
                f"map '{text}': expected each word once with its answer, such as "
                f"Low=Minimal,Medium=Average,High=Strong"
            )
        words[word] = answer
    return words


def _key(word: str) -> str:
    return whole(unicodedata.normalize("NFC", word).strip().casefold())


def _number(word: str) -> float | None:
    try:
        number = float(word)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
