"""Which units each rater rates where nobody rates all; a unit is a face, or a pair of faces.

The units of each emotion are dealt like cards. Raters take turns: each takes as many from the pile
as the rater's share of that emotion says, and when the pile is empty, all units of the emotion are
shuffled into a new one. So no unit comes up a second time before all others have. Of the pile a
rater takes units of the persons of whom the rater has fewest so far. A rater who begins in the
middle of a new pile leaves what the old one gave already.

The shares come from systematic sampling. With n of N units for each rater, an emotion with E units
has n·E/N of them for each: the whole part is certain, and of the fractions, laid end to end, each
rater takes those that a comb with teeth one apart hits; the combs of the raters are spread evenly.

What that guarantees, whatever the seed:

- each rater rates n different units;
- a rater's number of units of an emotion is n·E/N, rounded up or down;
- the raters of a unit number R·n/N, rounded up or down, for R raters.

Persons are spread as evenly as the piles allow; that is not guaranteed.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from emorank.errors import RatingError

# The fractions of an emotion add up to whole numbers but for rounding.
_ROUNDING = 1e-9


def units_per_rater(
    units: int, raters: int, per_rater: int | None, per_unit: int | None, what: str = "face"
) -> int | None:
    """How many units each rater rates, so that each unit has `per_unit` raters or more.

    Either may be None, which is not demanded; both None is all units, returned as None. `what` is
    the word for a unit.

    Raises:
        RatingError: the demands contradict each other; the message has the arithmetic.
    """
    if per_unit is not None and per_unit > raters:
        raise RatingError(
            f"{per_unit} raters for each {what}, but there are {raters}; ask for fewer, or invite "
            "more raters"
        )
    if per_rater is not None and per_rater > units:
        raise RatingError(f"{per_rater} {what}s for each rater, but there are {units}")
    if per_rater is None:
        return None if per_unit is None else -(-units * per_unit // raters)
    wanted = per_unit or 1
    needed = units * wanted
    if raters * per_rater < needed:
        raise RatingError(
            f"{raters} raters with {per_rater} {what}s each give {raters * per_rater} answers, but "
            f"{units} {what}s with {wanted} each need {needed}: expected {what}s for each rater "
            f"from {-(-needed // raters)} on, or {-(-needed // per_rater)} raters"
        )
    return per_rater


def allocate(
    emotions: Sequence[str],
    persons: Sequence[str | None],
    raters: int,
    per_rater: int,
    rng: np.random.Generator,
) -> list[list[int]]:
    """Deal units to raters, as the module says; the units' numbers, ascending, for each rater.

    `emotions` and `persons` have one entry a unit. The raters come in random order, so that none
    has the last choice of persons in each emotion.
    """
    shares = _shares(emotions, raters, per_rater, rng)
    order = [int(rater) for rater in rng.permutation(raters)]
    seen: list[Counter[str]] = [Counter() for _ in range(raters)]
    hands: list[list[int]] = [[] for _ in range(raters)]
    for emotion, units in _by_emotion(emotions).items():
        pile: list[int] = []
        for rater in order:
            hand: list[int] = []
            for _ in range(shares[rater][emotion]):
                if not pile:
                    pile = [int(unit) for unit in rng.permutation(units)]
                free = [unit for unit in pile if unit not in hand]
                unit = _fewest(free, persons, seen[rater])
                pile.remove(unit)
                hand.append(unit)
                _count(seen[rater], persons[unit])
            hands[rater] += hand
    return [sorted(hand) for hand in hands]


def allocate_late(
    emotions: Sequence[str],
    persons: Sequence[str | None],
    answers: Sequence[int],
    per_rater: int,
    rng: np.random.Generator,
) -> list[int]:
    """The units of a rater who comes later: of each emotion those with the fewest `answers`.

    The emotions have the shares that they have for all raters. Among units with equally many
    answers, those of persons of whom the rater has fewest go first, then chance decides.
    """
    share = _shares(emotions, 1, per_rater, rng)[0]
    seen: Counter[str] = Counter()
    hand: list[int] = []
    for emotion, units in _by_emotion(emotions).items():
        pile = [int(unit) for unit in rng.permutation(units)]
        for _ in range(share[emotion]):
            least = min(answers[unit] for unit in pile)
            unit = _fewest([u for u in pile if answers[u] == least], persons, seen)
            pile.remove(unit)
            hand.append(unit)
            _count(seen, persons[unit])
    return sorted(hand)


def _shares(
    emotions: Sequence[str], raters: int, per_rater: int, rng: np.random.Generator
) -> list[dict[str, int]]:
    """How many units of each emotion each rater has."""
    sizes = Counter(emotions)
    words = sorted(sizes)
    # In whole numbers of 1/N, so that nothing is lost by rounding.
    parts = [divmod(per_rater * sizes[word], len(emotions)) for word in words]
    ends = np.cumsum([0, *(rest for _, rest in parts)]) / len(emotions)
    start = rng.random()
    shares = []
    for rater in rng.permutation(raters):
        tooth = (start + rater / raters) % 1
        # Teeth at `tooth`, `tooth` + 1, …: those below an end.
        below = np.maximum(np.ceil(ends - tooth - _ROUNDING), 0).astype(int)
        extra = np.diff(below)
        shares.append(
            {
                word: whole + int(more)
                for word, (whole, _), more in zip(words, parts, extra, strict=True)
            }
        )
    return shares


def _by_emotion(emotions: Sequence[str]) -> dict[str, list[int]]:
    units: dict[str, list[int]] = {word: [] for word in sorted(set(emotions))}
    for unit, word in enumerate(emotions):
        units[word].append(unit)
    return units


def _fewest(units: Sequence[int], persons: Sequence[str | None], seen: Counter[str]) -> int:
    """The first unit of a person whom the rater has seen least; of unknown persons the first."""
    return min(units, key=lambda unit: seen[persons[unit] or ""])


def _count(seen: Counter[str], person: str | None) -> None:
    if person is not None:
        seen[person] += 1
