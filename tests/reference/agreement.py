"""Slow, obvious oracles for agreement: pair by pair, in exact fractions."""

from collections import Counter
from fractions import Fraction
from itertools import permutations


def ordinal_distance(low: int, high: int, margin: Counter) -> Fraction:
    """Krippendorff's ordinal difference: the votes from one level to the other, half the ends."""
    low, high = min(low, high), max(low, high)
    between = sum(margin[level] for level in range(low, high + 1))
    return Fraction(between) - Fraction(margin[low] + margin[high], 2)


def alpha(units: list[list[int]], ordinal: bool) -> Fraction | None:
    """One less the observed over the expected disagreement of pairs of votes; None for 0/0."""
    units = [votes for votes in units if len(votes) >= 2]
    votes = [vote for unit in units for vote in unit]
    margin = Counter(votes)

    def squared(a: int, b: int) -> Fraction:
        return ordinal_distance(a, b, margin) ** 2 if ordinal else Fraction(a != b)

    observed = sum(
        (Fraction(1, len(unit) - 1) * squared(a, b) for unit in units
         for a, b in permutations(unit, 2)), Fraction(0))  # fmt: skip
    expected = sum((squared(a, b) for a, b in permutations(votes, 2)), Fraction(0))
    if expected == 0:
        return None
    return 1 - observed * (len(votes) - 1) / expected


def fleiss(units: list[list[int]], levels: int) -> Fraction | None:
    """Agreement within units beyond that of two votes with the mean shares; None for 0/0."""
    units = [votes for votes in units if len(votes) >= 2]
    if not units:
        return None
    within = [
        Fraction(sum(a == b for a, b in permutations(unit, 2)), len(unit) * (len(unit) - 1))
        for unit in units
    ]
    observed = sum(within, Fraction(0)) / len(units)
    shares = [
        sum((Fraction(unit.count(level), len(unit)) for unit in units), Fraction(0)) / len(units)
        for level in range(levels)
    ]
    expected = sum((share**2 for share in shares), Fraction(0))
    return None if expected == 1 else (observed - expected) / (1 - expected)


def verdict(votes: list[int]) -> tuple[int, bool]:
    """What the majority of one unit said (0 for None … 3, -1 for nothing), and whether it tied."""
    if not votes:
        return -1, False
    ranks = sorted(vote for vote in votes if vote > 0)
    none = len(votes) - len(ranks)
    if none > len(ranks):
        return 0, False
    if none == len(ranks):
        return 0, True
    often = Counter(ranks).most_common()
    tied = len(often) > 1 and often[0][1] == often[1][1]
    return (ranks[(len(ranks) - 1) // 2] if tied else often[0][0]), tied


def dawid_skene_likelihood(votes, prior, errors) -> float:
    """The probability of all votes under the model, unit by unit and class by class.

    Votes are (unit, rater, answer).
    """
    result = 1.0
    for unit in {unit for unit, _, _ in votes}:
        chances = [float(share) for share in prior]
        for u, rater, answer in votes:
            if u == unit:
                chances = [c * errors[rater][j][answer] for j, c in enumerate(chances)]
        result *= sum(chances)
    return result
