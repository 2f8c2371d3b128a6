"""The scattering transform: kymatio's numbers, and what it must and must not notice."""

import numpy as np

from emorank.baselines.scattering import scatter
from reference.scattering import picture, stored


def test_the_coefficients_are_those_of_kymatio():
    """Each of its filters has 3.1415 in the place of π, so that its orders are off by powers."""
    filters = np.repeat([1, 2, 3], [1, 24, 192])[:, None, None]  # a path of how many
    ours = scatter(picture())[:, ::3, ::3] * (np.pi / 3.1415) ** filters
    np.testing.assert_allclose(ours, stored(), rtol=2e-5, atol=1e-7)


def test_light_moves_the_means_alone():
    """Wavelets have no mean, so a brighter picture has the same moduli."""
    dark, light = scatter(picture()), scatter(picture() + 0.5)
    np.testing.assert_allclose(light[0] - dark[0], 0.5, atol=1e-3)
    np.testing.assert_allclose(light[1:], dark[1:], atol=1e-7)


def test_a_wave_answers_in_its_orientation():
    """Stripes across the picture wake the wavelet of their own scale and direction most."""
    stripes = 0.5 + 0.5 * np.cos(3 * np.pi / 8 * np.indices((64, 64))[0])  # the second scale
    first = scatter(stripes)[1:25, 3, 3].reshape(3, 8)
    assert np.unravel_index(first.argmax(), first.shape) == (1, 3)
