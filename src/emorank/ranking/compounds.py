"""Compound expressions: two basic emotions in one face, such as happily surprised or sadly angry.

A network of basic emotions divides its probability among them. If two of them have much, the face
may express both. No compound is learnt: name, share and rank follow from the probabilities and
ranks of the two parts. docs/compounds.md has the table with its sources, the reasons for the rule,
and how well it agrees with raters.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from emorank.vocabulary import Emotion

Numbers = Float[np.ndarray, "*shape"]


@dataclass(frozen=True)
class Compound:
    """Two basic emotions expressed together.

    Attributes:
        name: the two parts as adverb and adjective, as in Du, Tao and Martinez 2014, who have
            twelve of the names; those of happiness with anger, fear and sadness are formed alike.
        parts: the basic emotions.
        also: what others call the same pair: (name, who).
    """

    name: str
    parts: tuple[Emotion, Emotion]
    also: tuple[tuple[str, str], ...]


DU, MDNS, PLUTCHIK, MCCLOUD, PAPER = "Du 2014", "MDNS", "Plutchik", "McCloud", "the paper"
_A, _D, _F, _H, _SA, _SU = (
    *(Emotion.ANGER, Emotion.DISGUST, Emotion.FEAR),
    *(Emotion.HAPPY, Emotion.SADNESS, Emotion.SURPRISE),
)

# In the order of MDNS's columns, which is that of the pairs of (angry, happy, surprised, afraid,
# disgusted, sad). Contempt is a basic emotion in the paper and a pair in other sources; here both.
COMPOUNDS: tuple[Compound, ...] = (
    Compound(
        "happily angry",
        (_H, _A),
        (("cruelty", MDNS), ("cruelty", MCCLOUD), ("pride", PLUTCHIK)),
    ),
    Compound("angrily surprised", (_A, _SU), (("outrage", MDNS), ("outrage", PLUTCHIK))),
    Compound("fearfully angry", (_F, _A), (("dread", MDNS), ("caged animal", MCCLOUD))),
    Compound(
        "angrily disgusted",
        (_A, _D),
        (
            *(("hatred", DU), ("appalled", DU), ("contempt", MDNS)),
            *(("contempt", PLUTCHIK), ("outrage", MCCLOUD)),
        ),
    ),
    Compound(
        "sadly angry",
        (_SA, _A),
        (("betrayal", MDNS), ("betrayal", MCCLOUD), ("envy", PLUTCHIK)),
    ),
    Compound(
        "happily surprised",
        (_H, _SU),
        (("pride", PAPER), ("amazement", MDNS), ("amazement", MCCLOUD), ("delight", PLUTCHIK)),
    ),
    Compound(
        "happily fearful",
        (_H, _F),
        (("desperation", MDNS), ("desperation", MCCLOUD), ("guilt", PLUTCHIK)),
    ),
    Compound("happily disgusted", (_H, _D), (("morbidness", MDNS), ("morbidness", PLUTCHIK))),
    Compound("happily sad", (_H, _SA), (("hopeful", MDNS), ("faint hope", MCCLOUD))),
    Compound(
        "fearfully surprised",
        (_F, _SU),
        (("awed", DU), ("spooked", MDNS), ("spooked", MCCLOUD), ("awe", PLUTCHIK)),
    ),
    Compound("disgustedly surprised", (_D, _SU), (("unbelief", MDNS), ("unbelief", PLUTCHIK))),
    Compound(
        "sadly surprised",
        (_SA, _SU),
        (("disappointment", MDNS), ("disappointment", MCCLOUD), ("disapproval", PLUTCHIK)),
    ),
    Compound(
        "fearfully disgusted",
        (_F, _D),
        (("horror", MDNS), ("horror", MCCLOUD), ("shame", PLUTCHIK)),
    ),
    Compound(
        "sadly fearful",
        (_SA, _F),
        (("devastation", MDNS), ("devastation", MCCLOUD), ("despair", PLUTCHIK)),
    ),
    Compound(
        "sadly disgusted",
        (_SA, _D),
        (("remorse", MDNS), ("remorse", PLUTCHIK), ("pain empathy", MCCLOUD)),
    ),
)

RULES: dict[str, Callable[[Numbers, Numbers], Numbers]] = {
    "geometric": lambda first, second: np.sqrt(first * second),
    "minimum": np.minimum,
    "harmonic": lambda first, second: np.divide(
        2 * first * second,
        first + second,
        out=np.zeros(np.broadcast(first, second).shape),
        where=(first + second) > 0,
    ),
    "arithmetic": lambda first, second: (first + second) / 2,
    "maximum": np.maximum,
}
"""Functions from the amounts of two parts to the amount of their compound, all in [0, 1]."""
RULE = "geometric"


def compounds_of(classes: Sequence[Emotion]) -> tuple[Compound, ...]:
    """The compounds whose two parts are among a network's classes."""
    return tuple(compound for compound in COMPOUNDS if set(compound.parts) <= set(classes))


def shares(
    probabilities: Float[np.ndarray, "face emotion"], classes: Sequence[Emotion]
) -> Float[np.ndarray, "face compound"]:
    """The share of each of `compounds_of(classes)` in a face, in [0, 1].

    Twice the geometric mean of the two probabilities: 1 if each is a half, 0 if one is 0, and never
    more than their sum. Shares of different compounds do not add up to 1. The rows of
    `probabilities` add up to 1; `classes` are of its columns.
    """
    column = {emotion: i for i, emotion in enumerate(classes)}
    pairs = [[column[part] for part in compound.parts] for compound in compounds_of(classes)]
    if not pairs:
        return np.zeros((len(probabilities), 0))
    first, second = np.array(pairs).T
    parts = probabilities.astype(np.float64)
    return np.asarray(2 * RULES[RULE](parts[:, first], parts[:, second]))


def expressed_emotions(
    probabilities: Float[np.ndarray, "face emotion"], classes: Sequence[Emotion]
) -> Bool[np.ndarray, "face emotion"]:
    """Which emotions a face expresses: those more probable than chance and more than neutral.

    Chance is 1/classes. Neutral is never expressed. `classes` are of the columns.
    """
    neutral = np.array([emotion == Emotion.NEUTRAL for emotion in classes])
    least = np.maximum(1 / len(classes), probabilities[:, neutral].sum(1, keepdims=True))
    return np.asarray((probabilities > least) & ~neutral)


def weaker_level(
    first: Int[np.ndarray, "*shape"], second: Int[np.ndarray, "*shape"]
) -> Int[np.ndarray, "*shape"]:
    """The level of a compound: the lower of the levels of its parts, as places in `LEVELS`.

    A mixture is expressed no more strongly than its weaker part; if a part is None, so is it.
    """
    return np.asarray(np.minimum(first, second))
