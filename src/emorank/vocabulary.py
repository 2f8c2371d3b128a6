"""The words that everything else uses: expressed emotions and ranks of expression intensity."""

from enum import IntEnum, StrEnum

from emorank.errors import DatasetError, VotesError


class Emotion(StrEnum):
    """An expressed emotion: the seven of the paper (Table 2) and neutral, in its order."""

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
        """Read a word as people and data sets write it ("Angry", "happiness", "sad").

        Raises:
            DatasetError: the word names no emotion of the vocabulary.
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
    "happiness": Emotion.HAPPY,
    "joy": Emotion.HAPPY,
    "sad": Emotion.SADNESS,
    "surprised": Emotion.SURPRISE,
    "neutrality": Emotion.NEUTRAL,
}


class Rank(IntEnum):
    """How strongly an emotion is expressed; the numbers carry the order and nothing else."""

    MINIMAL = 1
    AVERAGE = 2
    STRONG = 3

    @property
    def label(self) -> str:
        """The word for tables and figures: "Minimal"."""
        return self.name.capitalize()

    @classmethod
    def parse(cls, word: str | int) -> "Rank":
        """Read a rank as people write it: Minimal, Min, 1 (and so on), in any case.

        Raises:
            VotesError: the word names no rank.
        """
        rank = _RANK_WORDS.get(str(word).strip().lower())
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
"""How strongly an emotion is expressed, not at all included; a level's place is its number."""
