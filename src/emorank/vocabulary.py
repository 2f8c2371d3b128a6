"""The words for expressed emotions and for ranks of expression intensity."""

import unicodedata
from enum import IntEnum, StrEnum

from emorank.errors import DatasetError, VotesError
from emorank.naming import whole


class Emotion(StrEnum):
    """An expressed emotion: the seven of the paper in the order of Table 2, and neutral."""

    ANGER = "anger"
    CONTEMPT = "contempt"
    DISGUST = "disgust"
    FEAR = "fear"
    HAPPY = "happy"
    SADNESS = "sadness"
    SURPRISE = "surprise"
    NEUTRAL = "neutral"

    @property
    def label(self) -> str:
        """The word for tables and figures: "Happy"."""
        return self.value.capitalize()

    @classmethod
    def parse(cls, word: str) -> "Emotion":
        """Read a word of people or data sets, such as "Angry", "happiness" or "sad".

        Raises:
            DatasetError: the word is not a name of an emotion.
        """
        key = word.strip().lower().replace("-", "_")
        emotion = _SYNONYMS.get(key)
        if emotion is None:
            raise DatasetError(
                f"'{word}' names no emotion; expected one of {', '.join(cls)} "
                f"or a usual synonym (angry, happiness, sad, afraid …)"
            )
        return emotion


_SYNONYMS: dict[str, Emotion] = {
    **{emotion.value: emotion for emotion in Emotion},
    "angry": Emotion.ANGER,
    "contemptuous": Emotion.CONTEMPT,
    "disgusted": Emotion.DISGUST,
    "afraid": Emotion.FEAR,
    "fearful": Emotion.FEAR,
    "frightened": Emotion.FEAR,
    "scared": Emotion.FEAR,
    "happiness": Emotion.HAPPY,
    "joy": Emotion.HAPPY,
    "joyful": Emotion.HAPPY,
    "sad": Emotion.SADNESS,
    "surprised": Emotion.SURPRISE,
    "neutrality": Emotion.NEUTRAL,
}


def emotion_of(word: str) -> str | None:
    """The emotion that a word means; None if it means none."""
    try:
        return Emotion.parse(word).value
    except DatasetError:
        return None


def emotion_word(word: str) -> str:
    """The word for an emotion: that of `Emotion`, or another ("outrage") in small letters."""
    return emotion_of(word) or unicodedata.normalize("NFC", word).strip().lower()


class Rank(IntEnum):
    """How strongly an emotion is expressed; only the order of the numbers has a meaning."""

    MINIMAL = 1
    AVERAGE = 2
    STRONG = 3

    @property
    def label(self) -> str:
        """The word for tables and figures: "Minimal"."""
        return self.name.capitalize()

    @classmethod
    def parse(cls, word: str | int) -> "Rank":
        """Read a rank: Minimal, Min, 1 or 1.0 (and so on), in upper or lower case.

        Raises:
            VotesError: the word is not a rank.
        """
        rank = _RANK_WORDS.get(whole(str(word).strip().lower()))
        if rank is None:
            raise VotesError(
                f"'{word}' is no rank; expected Minimal, Average or Strong (Min, Avg, Str; 1, 2, 3)"
            )
        return rank


_RANK_WORDS: dict[str, Rank] = {
    word: rank
    for rank in Rank
    for word in (rank.name.lower(), rank.name[:3].lower(), str(int(rank)))
} | {"avg": Rank.AVERAGE}

NONE = "None"
LEVELS = (NONE, *(rank.label for rank in Rank))
"""The levels of intensity, None (not expressed) first; the place of a level is its number."""
LEVEL_COLUMNS = tuple(f"p_{level.lower()}" for level in LEVELS)
"""The columns that hold the probability of each level."""
