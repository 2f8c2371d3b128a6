"""Colours: ranks in an order that black and white keep, emotions apart for everybody."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from emorank.evaluation.rank_scores import RANKS
from emorank.report.style import COLOURS_OF_EMOTIONS, RANK_COLOURS

# Machado, Oliveira and Fernandes 2009: how red-, green- and blue-blind people see linear RGB.
_BLIND = {
    "none": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
               [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
               [0.004733, 0.691367, 0.303900]],
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


def oklab(linear):
    """Björn Ottosson 2020, https://bottosson.github.io/posts/oklab/."""
    cones = [[0.412221, 0.536333, 0.051446], [0.211903, 0.680700, 0.107397],
             [0.088302, 0.281719, 0.629979]]  # fmt: skip
    axes = [[0.210454, 0.793618, -0.004072], [1.977998, -2.428592, 0.450594],
            [0.025904, 0.782772, -0.808676]]  # fmt: skip
    return np.array(axes) @ np.cbrt(np.clip(np.array(cones) @ linear, 0, None))


@pytest.mark.parametrize("vision", _BLIND)
def test_colours_of_emotions_are_told_apart(vision):
    """With every kind of colour vision two of them differ by a tenth of black from white."""
    shown = []
    for colour in COLOURS_OF_EMOTIONS.values():
        rgb = np.array(to_rgb(colour))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        shown.append(oklab(np.clip(np.array(_BLIND[vision]) @ linear, 0, 1)))
    apart = [np.linalg.norm(a - b) for a, b in itertools.combinations(shown[:-1], 2)]
    assert min(apart) > 0.1
