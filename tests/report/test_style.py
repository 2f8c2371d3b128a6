"""Colours: ranks in an order that black and white keep."""

import numpy as np
from matplotlib.colors import to_rgb

from emorank.evaluation.rank_scores import RANKS
from emorank.report.style import RANK_COLOURS

# Machado, Oliveira and Fernandes 2009: how red-blind and green-blind people see linear RGB.
_BLIND = {
    "none": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
               [-0.011820, 0.042940, 0.968881]],
}  # fmt: skip


def lightness(colour, seen):
    """CIELAB L* of an sRGB colour."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    y = np.clip(np.array(seen) @ linear, 0, 1) @ [0.2126, 0.7152, 0.0722]
    return 116 * np.cbrt(y) - 16


def test_the_stronger_the_darker():
    """With steps that a print in black and white shows, for every kind of colour vision."""
    for seen in _BLIND.values():
        light = [lightness(RANK_COLOURS[rank], seen) for rank in RANKS]
        assert (np.diff(light) < -12).all(), light
        assert light[0] < 85  # still seen on white
