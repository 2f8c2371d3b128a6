"""Slow, obvious oracle for the paper's rank rule: one score after another, in exact fractions."""

from fractions import Fraction

GROUPS = {1: range(1, 6), 2: range(4, 9), 3: range(6, 11)}


def counts_and_sums(scores: list[int], closed: str) -> tuple[list[int], list[Fraction]]:
    """Number and sum of the min–max scaled scores in each of the ten intervals."""
    least, greatest = min(scores), max(scores)
    counts, sums = [0] * 10, [Fraction(0)] * 10
    for score in scores:
        if least == greatest:
            continue
        scaled = Fraction(score - least, greatest - least)
        for j in range(1, 11):
            lower, upper = Fraction(j - 1, 10), Fraction(j, 10)
            if lower <= scaled < upper if closed == "left" else lower < scaled <= upper:
                counts[j - 1] += 1
                sums[j - 1] += scaled
    return counts, sums


def values(scores: list[int], rule: str, closed: str) -> list[Fraction | None]:
    """The value of each group; None for the mean of nothing."""
    counts, sums = counts_and_sums(scores, closed)
    answer: list[Fraction | None] = []
    for group in GROUPS.values():
        number = sum(counts[j - 1] for j in group)
        total = sum((sums[j - 1] for j in group), Fraction(0))
        if rule == "count":
            answer.append(Fraction(number))
        elif rule == "sum":
            answer.append(total)
        else:
            answer.append(total / number if number else None)
    return answer
