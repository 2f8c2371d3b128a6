"""Proportional odds, slowly: one face, one emotion, one level at a time, in plain floats."""

import math


def at_least(score, threshold):
    """P(level ≥ k) = 1 / (1 + e^(θ_k − s)) (McCullagh 1980, equation 1.1)."""
    return 1 / (1 + math.exp(threshold - score))


def level_probability(score, thresholds, level):
    """P(level = k) as the difference of two neighbouring probabilities."""
    above = [1.0, *(at_least(score, threshold) for threshold in thresholds), 0.0]
    return above[level] - above[level + 1]


def cumulative(score, thresholds, level):
    """−log P(level = k)."""
    return -math.log(level_probability(score, thresholds, level))


def coral(score, thresholds, level):
    """The sum of binary cross-entropies of "level > k" (Cao et al. 2020, equation 4)."""
    total = 0.0
    for k, threshold in enumerate(thresholds):
        p = at_least(score, threshold)
        total -= math.log(p) if level > k else math.log(1 - p)
    return total


def mean(one, scores, thresholds, levels, weights):
    """The weighted mean over the emotions of the faces; a level of −1 is not known."""
    top = bottom = 0.0
    for row, given in zip(scores, levels, strict=True):
        for score, level in zip(row, given, strict=True):
            if level >= 0:
                top += weights[level] * one(score, thresholds, level)
                bottom += weights[level]
    return top / bottom
