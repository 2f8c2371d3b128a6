"""Compound expressions: two basic emotions in one face, named and measured from their parts.

A network that knows basic emotions shares its probability among them. Where two of them stand out
together, the face may express both: happily surprised, sadly angry. Nothing is learnt here; a
compound is read off the probabilities and ranks of its two parts. docs/compounds.md has the table
with its sources, why the rule is as it is, and how far it can be believed.
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
        name: what is in the face and no more: an adverb and an adjective, as Du, Tao and Martinez
            2014 name theirs. Twelve are theirs; those of happiness with anger, fear and sadness
            are not.
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
# disgusted, sad). Contempt is a basic emotion of the paper and a pair elsewhere; it stays both.
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
"""How much of a compound there is when there is so much of its parts, all in [0, 1]."""
RULE = "geometric"


def known(classes: Sequence[Emotion]) -> tuple[Compound, ...]:
    """The compounds whose parts are both among a network's classes."""
    return tuple(compound for compound in COMPOUNDS if set(compound.parts) <= set(classes))


def shares(
    probabilities: Float[np.ndarray, "face emotion"], classes: Sequence[Emotion]
) -> Float[np.ndarray, "face compound"]:
    """How evenly and how fully two emotions share a face, in [0, 1], for each of `known(classes)`.

    Twice the geometric mean of the parts' probabilities: 1 where two emotions have a half each, 0
    where one has nothing, and never more than what the two have together. These are no
    probabilities of exclusive classes and do not add up to 1.

    Args:
        probabilities: of the network, rows adding up to 1.
        classes: of the columns.
    """
    column = {emotion: i for i, emotion in enumerate(classes)}
    pairs = [[column[part] for part in compound.parts] for compound in known(classes)]
    if not pairs:
        return np.zeros((len(probabilities), 0))
    first, second = np.array(pairs).T
    both: Float[np.ndarray, "face compound"] = RULES[RULE](
        probabilities[:, first].astype(np.float64), probabilities[:, second].astype(np.float64)
    )
    return 2 * both


def expressed(
    probabilities: Float[np.ndarray, "face emotion"], classes: Sequence[Emotion]
) -> Bool[np.ndarray, "face emotion"]:
    """Which emotions a face expresses: more probable than without an idea, and than neutral.

    A network without an idea would give each class 1/classes. Neutral is not expressed.

    Args:
        probabilities: of the network, rows adding up to 1.
        classes: of the columns.
    """
    neutral = np.array([emotion == Emotion.NEUTRAL for emotion in classes])
    least = np.maximum(1 / len(classes), probabilities[:, neutral].sum(1, keepdims=True))
    there: Bool[np.ndarray, "face emotion"] = (probabilities > least) & ~neutral
    return there


def weaker(
    first: Int[np.ndarray, "*shape"], second: Int[np.ndarray, "*shape"]
) -> Int[np.ndarray, "*shape"]:
    """The level of a compound from the levels of its parts: the lower of the two.

    A mixture is expressed no more strongly than its weaker part; without one part there is none.

    Args:
        first: places in `LEVELS`.
        second: places in `LEVELS`.
    """
    lower: Int[np.ndarray, "*shape"] = np.asarray(np.minimum(first, second))
    return lower
