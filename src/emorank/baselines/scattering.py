"""The scattering transform of a grey picture: wavelets, their modulus, and local means of it.

Source: Bruna and Mallat 2013, PAMI 35(8), 1872–1886. Filters and borders are those of kymatio 0.3
(Andreux et al. 2020, JMLR 21(60)), which has 3.1415 in the place of π.
"""

from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Complex128, Float, Float64

SCALES, ORIENTATIONS, SIDE = 3, 8, 64
BORDER = 2**SCALES  # pixels that are mirrored around the picture
PADDED = SIDE + 2 * BORDER
_SIGMA, _FREQUENCY = 0.8, 3 * np.pi / 4  # of the finest wavelet, in pixels and radians a pixel

Spectrum = Complex128[np.ndarray, "*_ side side"]


def scatter(
    picture: Float[np.ndarray, "64 64"],
) -> Float64[np.ndarray, "217 8 8"]:
    """The local means of the picture, of its wavelets' moduli, and of the wavelets' of those.

    There are 3 scales and 8 orientations: 1 + 24 + 192 maps. A second wavelet is coarser than the
    first. In order: the first wavelet's scale and orientation, then the second's.
    """
    spectrum = np.fft.fft2(np.pad(picture.astype(np.float64), BORDER, mode="reflect"))
    first, second = [_local_means(spectrum, 0)], []
    for scale in range(SCALES):
        moduli = _moduli(spectrum, scale, 0)
        first += list(_local_means(moduli, scale))
        # Orientation of the first wavelet, then scale and orientation of the second.
        pairs = [
            _local_means(_moduli(moduli[:, None], coarser, scale), coarser)
            for coarser in range(scale + 1, SCALES)
        ]
        if pairs:
            second += [maps for of_one in zip(*pairs, strict=True) for maps in of_one]
    return np.concatenate([np.stack(first), *second])


def _moduli(spectrum: Spectrum, scale: int, now: int) -> Spectrum:
    """The spectra of the moduli of all wavelets of a scale, a row for each orientation.

    `spectrum` is sampled at each 2**now-th pixel, the result at each 2**scale-th.
    """
    filtered = _folded(spectrum * _cropped(_wavelets(scale), now), scale - now)
    return np.fft.fft2(np.abs(np.fft.ifft2(filtered)))


def _local_means(spectrum: Spectrum, now: int) -> Float64[np.ndarray, "*_ 8 8"]:
    """Smoothed, sampled at each eighth pixel, without the border."""
    means = _folded(spectrum * _cropped(_smoothing(), now), SCALES - now)
    return np.asarray(np.fft.ifft2(means).real[..., 1:-1, 1:-1])


def _folded(spectrum: Spectrum, octaves: int) -> Spectrum:
    """The spectrum of each 2**octaves-th pixel only: the mean of those that become one."""
    step, side = 2**octaves, spectrum.shape[-1] // 2**octaves
    parts = spectrum.reshape(*spectrum.shape[:-2], step, side, step, side)
    return np.asarray(parts.mean(axis=(-4, -2)))


def _cropped(response: Float64[np.ndarray, "*_ side side"], octaves: int) -> np.ndarray:
    """The frequencies of a filter that a picture sampled so much coarser has."""
    half = response.shape[-1] // 2 ** (octaves + 1)
    kept = np.r_[0:half, -half:0]
    return response[..., kept[:, None], kept]


@cache
def _wavelets(scale: int) -> Float64[np.ndarray, "orientations side side"]:
    """Fourier transforms of Morlet wavelets, which are real; one for each orientation."""
    sigma, frequency = _SIGMA * 2**scale, _FREQUENCY / 2**scale
    filters = []
    for number in range(ORIENTATIONS):
        angle = (ORIENTATIONS / 2 - 1 - number) * np.pi / ORIENTATIONS
        slant = 4 / ORIENTATIONS
        wave = _gabor(sigma, angle, frequency, slant)
        envelope = _gabor(sigma, angle, 0.0, slant)
        # Less an envelope, so that the wavelet has no mean.
        filters.append(np.fft.fft2(wave - wave.sum() / envelope.sum() * envelope).real)
    return np.stack(filters)


@cache
def _smoothing() -> Float64[np.ndarray, "side side"]:
    """The Fourier transform of the Gaussian of the local means."""
    return np.asarray(np.fft.fft2(_gabor(_SIGMA * 2 ** (SCALES - 1), 0.0, 0.0, 1.0)).real)


def _gabor(sigma: float, angle: float, frequency: float, slant: float) -> np.ndarray[Any, Any]:
    """A wave across a Gaussian that is 1 / slant times as long as wide, repeated at each border."""
    repeats = 5
    at = np.arange(repeats * PADDED) - repeats // 2 * PADDED
    down, right = at[:, None], at[None, :]
    across = down * np.cos(angle) + right * np.sin(angle)
    along = right * np.cos(angle) - down * np.sin(angle)
    exponent = -(across**2 + (slant * along) ** 2) / (2 * sigma**2) + 1j * frequency * across
    tiles = np.exp(exponent).reshape(repeats, PADDED, repeats, PADDED)
    return np.asarray(tiles.sum(axis=(0, 2)) * slant / (2 * np.pi * sigma**2))
