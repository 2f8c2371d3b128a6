"""Blind maps, likeness, places on the face, stability: oracles, chance, and what is undefined."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from skimage.metrics import structural_similarity

from emorank.evaluation.maps.blind import BLIND, blind_map
from emorank.evaluation.maps.localisation import (
    REGIONS,
    face_masks,
    features,
    mass,
    rank_accuracy,
)
from emorank.evaluation.maps.sensitivity import max_sensitivity, shift_sensitivity
from emorank.evaluation.maps.similarity import spearman, ssim
from emorank.faces import TEMPLATE
from reference.faithfulness import quantus_located


def rng(seed=0):
    return np.random.default_rng(seed)


def pictures(count=3, side=32):
    return rng(3).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", BLIND)
def test_blind_maps_are_maps(name):
    """One value a pixel, none negative, of each image by itself."""
    found = blind_map(name, pictures(), rng())
    assert found.shape == (3, 32, 32)
    assert (found >= 0).all()
    np.testing.assert_array_equal(found[:1], blind_map(name, pictures()[:1], rng()))


def test_what_blind_maps_see():
    """Edges are where brightness changes; the centre has the most; random is uniform."""
    image = np.zeros((1, 32, 32, 3), np.uint8)
    image[:, :, 16:] = 200
    edges = blind_map("edges", image, rng())[0]
    assert (edges[:, 15:17] > 0).all()
    assert not edges[:, :14].any()
    centre = blind_map("centre", image, rng())[0]
    assert centre.argmax() in (15 * 32 + 15, 15 * 32 + 16, 16 * 32 + 15, 16 * 32 + 16)
    assert blind_map("random", pictures(20), rng()).mean() == pytest.approx(0.5, abs=0.01)
    with pytest.raises(ValueError, match="'sobel' is no blind map"):
        blind_map("sobel", image, rng())


def test_spearman_is_scipys():
    """Pair by pair; of a constant map it is not defined."""
    first, second = rng(1).normal(size=(4, 9, 9)), rng(2).normal(size=(4, 9, 9)).round(1)
    expected = [
        spearmanr(a.ravel(), b.ravel()).statistic for a, b in zip(first, second, strict=True)
    ]
    np.testing.assert_allclose(spearman(first, second), expected)
    assert np.isnan(spearman(first, np.zeros_like(first))).all()


def test_ssim_is_scikit_images():
    """On maps scaled alike, with Wang's Gaussian windows."""
    first, second = rng(1).normal(size=(2, 40, 40)), rng(2).normal(size=(2, 40, 40))
    second[1] = first[1] + 0.2 * second[1]
    expected = []
    for a, b in zip(first, second, strict=True):
        a, b = (np.clip(m / np.percentile(np.abs(m), 99.5), -1, 1) for m in (a, b))
        options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
        expected.append(structural_similarity(a, b, data_range=2, **options))
    np.testing.assert_allclose(ssim(first, second), expected, atol=1e-6)
    assert np.isnan(ssim(first, np.zeros_like(first))).all()


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), factor=st.floats(1e-6, 1e6))
def test_likeness_has_no_unit(seed, factor):
    """A map is like itself in other units: 1, and the same both ways round."""
    first, second = rng(seed).normal(size=(2, 1, 24, 24))
    for likeness in (spearman, ssim):
        np.testing.assert_allclose(likeness(first, factor * first), 1, atol=1e-6)
        np.testing.assert_allclose(
            likeness(first, second), likeness(second, factor * first), atol=1e-6
        )


def test_regions_part_the_face():
    """Every pixel is in one; eyes, nose and mouth have their landmarks."""
    masks = face_masks(TEMPLATE * 100, 100)
    assert tuple(masks) == REGIONS
    np.testing.assert_array_equal(np.sum(list(masks.values()), axis=0), 1)
    for point, name in zip(TEMPLATE, ("eyes", "eyes", "nose", "mouth", "mouth"), strict=True):
        x, y = (point * 100).astype(int)
        assert masks[name][y, x], name
    assert masks["outside"][0, 0]
    assert masks["brows"].any(axis=1).argmax() < masks["eyes"].any(axis=1).argmax()
    np.testing.assert_array_equal(masks["eyes"], masks["eyes"][:, ::-1])


def test_regions_follow_the_landmarks():
    """A face half as large and moved has its regions there."""
    whole = face_masks(TEMPLATE * 200, 200)
    moved = face_masks(TEMPLATE * 100 + (60, 40), 200)
    for name in ("brows", "eyes", "nose", "mouth"):
        np.testing.assert_allclose(moved[name].sum(), whole[name].sum() / 4, rtol=0.05)
        rows, columns = np.nonzero(moved[name])
        far_rows, far_columns = np.nonzero(whole[name])
        assert columns.mean() == pytest.approx(far_columns.mean() / 2 + 60, abs=1)
        assert rows.mean() == pytest.approx(far_rows.mean() / 2 + 40, abs=1)


def test_mass_and_rank_accuracy_are_quantus():
    """On a map that is nowhere negative."""
    masks = face_masks(TEMPLATE * 40, 40)
    mask = features(masks)
    relevance = rng(7).gamma(0.5, size=(40, 40))
    quantus_mass, quantus_rank = quantus_located(relevance, mask)
    found = mass(relevance, {"features": mask})
    assert found["features"] == pytest.approx(quantus_mass)
    assert rank_accuracy(relevance, mask) == pytest.approx(quantus_rank)


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_mass_is_a_share(seed):
    """Over the regions the shares add up to one, also if some relevance is negative."""
    masks = face_masks(TEMPLATE * 30, 30)
    found = mass(rng(seed).normal(size=(30, 30)), masks)
    assert sum(found.values()) == pytest.approx(1)
    uniform = mass(np.ones((30, 30)), masks)
    for name, mask in masks.items():
        assert uniform[name] == pytest.approx(mask.mean())


def test_mass_and_rank_accuracy_where_there_is_nothing():
    """No positive relevance, no pixel in the mask: not defined, and not zero."""
    masks = face_masks(TEMPLATE * 30, 30)
    assert np.isnan(list(mass(-np.ones((30, 30)), masks).values())).all()
    assert np.isnan(rank_accuracy(np.ones((30, 30)), np.zeros((30, 30), bool)))


def test_sensitivity_of_a_linear_map():
    """R = x w changes by δ w; a map that does not look at the image does not change."""
    images, weights = pictures(), rng(4).normal(size=(32, 32))

    def explain(some):
        return some.astype(float).mean(3) * weights

    found = max_sensitivity(explain, images, explain(images), rng(9), levels=3, samples=4)
    changes, draws = [], rng(9)
    for _ in range(4):
        moved = np.clip(images + draws.integers(-3, 4, images.shape), 0, 255)
        difference = explain(moved) - explain(images)
        size = np.linalg.norm(explain(images), axis=(1, 2))
        changes.append(np.linalg.norm(difference, axis=(1, 2)) / size)
    np.testing.assert_allclose(found, np.max(changes, axis=0))
    still = max_sensitivity(lambda _: np.ones((3, 32, 32)), images, np.ones((3, 32, 32)), rng())
    assert not still.any()
    zero = np.zeros((3, 32, 32))
    assert np.isnan(max_sensitivity(lambda _: zero, images, zero, rng())).all()


def test_a_map_that_moves_with_the_image_is_insensitive_to_shifts():
    """Brightness does; a fixed map of noise does not."""
    images = pictures()

    def brightness(some):
        return some.astype(float).mean(3)

    assert not shift_sensitivity(brightness, images, brightness(images)).any()
    fixed = rng(5).normal(size=(3, 32, 32))
    assert (shift_sensitivity(lambda _: fixed, images, fixed) > 1).all()


BOUNDS = {  # left, right, top, bottom of each region, in sides of the crop
    "brows": (0.14, 0.86, 0.14, 0.27),
    "eyes": (0.175, 0.825, 0.26, 0.39),
    "nose": (0.37, 0.63, 0.37, 0.64),
    "mouth": (0.26, 0.74, 0.665, 0.915),
    "rest of the face": (0.03, 0.97, -0.07, 1.07),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_regions_lie_where_they_should(name):
    """On a face in the middle of a larger image, to a hundredth of its side."""
    mask = face_masks(TEMPLATE * 200 + 100, 400)[name]
    rows, columns = np.nonzero(mask)
    found = (columns.min(), columns.max() + 1, rows.min(), rows.max() + 1)
    np.testing.assert_allclose((np.array(found) - 100) / 200, BOUNDS[name], atol=0.011)


def test_the_centre_and_the_luma_of_blind_maps():
    """A Gaussian of a quarter of the side; grey as the luma has it."""
    centre = blind_map("centre", np.zeros((1, 64, 64, 3), np.uint8), rng())[0]
    x = (np.arange(64) + 0.5) / 64 - 0.5
    np.testing.assert_allclose(centre, np.exp(-(x[:, None] ** 2 + x**2) / (2 * 0.25**2)))
    image = np.zeros((3, 8, 8, 3), np.uint8)
    for channel in range(3):
        image[channel, :, 4:, channel] = 100
    edges = blind_map("edges", image, rng()).max(axis=(1, 2))
    np.testing.assert_allclose(edges / edges.sum(), [0.299, 0.587, 0.114])


def test_the_defaults_of_sensitivity():
    """Five grey levels to either side, two draws, a shift of one pixel."""
    images = pictures()

    def explain(some):
        return some.astype(float).mean(3)

    maps = explain(images)
    np.testing.assert_array_equal(
        max_sensitivity(explain, images, maps, rng()),
        max_sensitivity(explain, images, maps, rng(), levels=5, samples=2),
    )
    fixed = rng(5).normal(size=(3, 32, 32))
    once, twice = (shift_sensitivity(lambda _: fixed, images, fixed, by=by) for by in (1, 2))
    np.testing.assert_array_equal(shift_sensitivity(lambda _: fixed, images, fixed), once)
    moved = np.linalg.norm(fixed[:, 2:, 2:] - fixed[:, :-2, :-2], axis=(1, 2))
    np.testing.assert_allclose(twice, moved / np.linalg.norm(fixed[:, :-2, :-2], axis=(1, 2)))


def test_shifts_keep_number_and_size_of_the_images():
    """The network is given images as many and as large as before."""
    shapes = []

    def explain(some):
        shapes.append(some.shape)
        return np.ones(some.shape[:3])

    shift_sensitivity(explain, pictures(), np.ones((3, 32, 32)), by=3)
    assert shapes == [(3, 32, 32, 3)]
