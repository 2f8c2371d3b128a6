"""Region perturbation: oracles, a linear net whose best order is known, chance, fills, errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emorank.errors import RelevanceError
from emorank.evaluation.maps import region_perturbation as perturbation
from emorank.evaluation.maps.region_perturbation import (
    FILLS,
    curves,
    ends,
    grid_cells,
    order,
    regions,
)
from reference.faithfulness import perturbed_scores, quantus_falls

SIDE, GRID = 16, 4
ALL = tuple(k / GRID**2 for k in range(GRID**2 + 1))  # a region at a time


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture
def weights():
    """Of a linear net of three classes on pixels of the images, (3, 3, side, side)."""
    return rng(5).normal(size=(3, 3, SIDE, SIDE)) / 100


@pytest.fixture
def pictures():
    return rng(6).integers(0, 256, (5, SIDE, SIDE, 3), dtype=np.uint8)


def scorer(weights):
    return lambda images: np.einsum("bhwc,kchw->bk", images.astype(float), weights)


def black(images, gone, rng):
    return np.zeros(images.shape)


@pytest.fixture
def to_black(monkeypatch):
    """One more fill, that Quantus has too."""
    monkeypatch.setitem(FILLS, "black", black)


def way(score, images, maps, target, fill="black", fractions=ALL, seed=0):
    at = ends(score, images, fill, rng(seed))
    return curves(score, images, maps, target, fill, at, rng(seed), grid=GRID, fractions=fractions)


def test_against_a_slow_oracle_and_quantus(weights, pictures, to_black):
    """Region by region, both orders, on maps that have nothing to do with the net."""
    score, target = scorer(weights), np.array([0, 1, 2, 1, 0])
    maps = rng(8).normal(size=(5, SIDE, SIDE))
    found = way(score, pictures, maps, target)
    for k in range(5):
        for name, least in (("most", False), ("least", True)):
            slow = perturbed_scores(
                score, pictures[k], maps[k], target[k], (0, 0, 0), GRID, least=least
            )
            np.testing.assert_allclose(found.logit[name][k], slow, atol=1e-9)
        for name, word in (("most", "morf"), ("least", "lerf")):
            falls = quantus_falls(weights, pictures[k], maps[k], target[k], GRID, word)
            curve = found.logit[name][k]
            np.testing.assert_allclose(curve[0] - curve[1:], falls, rtol=1e-3, atol=2e-3)


def test_aopc_is_the_mean_fall(weights, pictures, to_black):
    """Samek et al. 2017, equation 12, but for half a step at either end (trapezes)."""
    found = way(scorer(weights), pictures, rng(8).normal(size=(5, SIDE, SIDE)), np.zeros(5, int))
    curve = found.logit["most"]
    falls = curve[:, :1] - curve
    expected = (falls[:, 1:].sum(1) - falls[:, -1] / 2) / GRID**2
    np.testing.assert_allclose(found.aopc(), expected)
    np.testing.assert_allclose(found.between(), found.aopc("most") - found.aopc("least"))


def test_the_true_order_is_the_best(weights, pictures, to_black):
    """On a linear net weight times pixel is what each region adds, so no map is better."""
    score, target = scorer(weights), np.array([0, 1, 2, 1, 0])
    true = np.einsum("bhwc,bchw->bhw", pictures.astype(float), weights[target])
    best = way(score, pictures, true, target)
    assert (best.between() > 0).all()
    for seed in range(5):
        other = way(score, pictures, rng(seed).normal(size=true.shape), target)
        assert (best.between() > other.between()).all()
        assert (best.aopc() > other.aopc()).all()
    worst = way(score, pictures, -true, target)
    np.testing.assert_allclose(worst.between(), -best.between(), rtol=1e-6)


def test_a_random_map_is_at_chance(weights, to_black):
    """Over many images its two curves lie on each other."""
    pictures = rng(1).integers(0, 256, (200, SIDE, SIDE, 3), dtype=np.uint8)
    target = np.zeros(200, int)
    found = way(scorer(weights), pictures, rng(2).random((200, SIDE, SIDE)), target)
    values = found.between()
    assert abs(values.mean()) < 3 * values.std() / np.sqrt(200)


def test_deletion_and_insertion(weights, pictures, to_black):
    """Areas under the probability: the true map deletes faster and inserts faster than its foe."""
    score, target = scorer(weights), np.zeros(5, int)
    true = np.einsum("bhwc,chw->bhw", pictures.astype(float), weights[0])
    good, bad = (way(score, pictures, maps, target) for maps in (true, -true))
    np.testing.assert_allclose(good.deletion(), bad.insertion())
    for found in (good, bad):
        for value in (found.deletion(), found.insertion()):
            assert ((value >= 0) & (value <= 1)).all()


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), factor=st.floats(1e-3, 1e3))
def test_curves_depend_on_the_order_only(seed, factor):
    """A map times a positive number has the same curves; both ways begin and end alike."""
    score = scorer(rng(5).normal(size=(3, 3, SIDE, SIDE)) / 100)
    images = rng(seed).integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8)
    maps, target = rng(seed).normal(size=(2, SIDE, SIDE)), np.array([1, 2])
    first, second = (
        way(score, images, some, target, "mean", (0, 0.25, 0.5, 1))
        for some in (maps, factor * maps)
    )
    for name in ("most", "least"):
        np.testing.assert_allclose(first.logit[name], second.logit[name])
        np.testing.assert_allclose(first.logit[name][:, 0], score(images)[[0, 1], target])
    np.testing.assert_allclose(first.logit["most"][:, -1], first.logit["least"][:, -1])


@settings(max_examples=30)
@given(side=st.integers(1, 60), data=st.data())
def test_cells_part_the_image(side, data):
    """Every pixel is in one region, and regions are as even as can be."""
    grid = data.draw(st.integers(1, side))
    cells = grid_cells(side, grid)
    counts = np.bincount(cells.ravel())
    assert len(counts) == grid**2
    assert counts.sum() == side**2
    assert np.sqrt(counts.max()) - np.sqrt(counts.min()) <= 1
    maps = rng(side).normal(size=(2, side, side))
    np.testing.assert_allclose(regions(maps, cells).sum(1), maps.sum((1, 2)), atol=1e-9)


def test_ties_are_broken_by_chance():
    """A constant map takes regions in no order of their own; without ties there is no chance."""
    values = np.zeros((400, 16))
    found = order(values, rng())
    assert (np.sort(found, axis=1) == np.arange(16)).all()
    assert np.bincount(found[:, 0], minlength=16).min() > 5
    distinct = rng(1).permuted(np.tile(np.arange(16.0), (5, 1)), axis=1)
    np.testing.assert_array_equal(order(distinct, rng()), np.argsort(-distinct, axis=1))


@pytest.mark.parametrize("fill", FILLS)
def test_fills_leave_the_rest_alone(fill, pictures):
    """Only removed pixels change; if all are removed all change."""
    gone = np.zeros(pictures.shape[:3], bool)
    gone[:, 4:9, 2:12] = True
    filled = perturbation._filled(pictures, gone, fill, rng())
    np.testing.assert_array_equal(filled[~gone], pictures[~gone])
    assert (filled[gone] != pictures[gone]).mean() > 0.9
    whole = perturbation._filled(pictures, np.ones_like(gone), fill, rng())
    assert whole.dtype == np.uint8
    assert (whole != pictures).mean() > 0.9


def test_surroundings_continue_what_is_left():
    """A ramp with a hole is nearly a ramp again; a plain image is not changed at all."""
    ramp = np.broadcast_to(np.arange(64)[:, None] * 3, (64, 64))
    images = np.repeat(ramp[None, :, :, None], 3, axis=3).astype(np.uint8)
    gone = np.zeros((1, 64, 64), bool)
    gone[:, 28:36, 28:36] = True
    filled = perturbation._filled(images, gone, "surroundings", rng())
    assert np.abs(filled.astype(int) - images)[gone].mean() < 6
    plain = np.full((1, 64, 64, 3), 77, np.uint8)
    np.testing.assert_array_equal(perturbation._filled(plain, gone, "surroundings", rng()), plain)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s, p: way(s, p, p[..., 0], np.zeros(5, int), "paint"), "'paint' is no fill"),
        (lambda s, p: way(s, p, p[..., 0], np.zeros(5, int), "mean", (0, 0.5)), "rise from 0 to 1"),
        (
            lambda s, p: way(s, p, p[..., 0], np.zeros(5, int), "mean", (0, 0.5, 0.5, 1)),
            "rise from 0 to 1",
        ),
        (lambda s, p: grid_cells(8, 9), "expected 1 to 8 regions"),
        (lambda s, p: grid_cells(8, 0), "got 0"),
    ],
)
def test_what_cannot_be_measured_is_refused(call, message, weights, pictures):
    """The error says what was expected."""
    with pytest.raises(RelevanceError, match=message):
        call(scorer(weights), pictures)


@pytest.mark.parametrize("fill", ["mean", "blur", "surroundings"])
def test_a_fill_depends_on_its_own_image_alone(fill, pictures):
    """An image is filled as it is filled by itself; colours are not mixed."""
    gone = np.zeros(pictures.shape[:3], bool)
    gone[:, 4:9, 2:12] = True
    together = perturbation._filled(pictures, gone, fill, rng())
    for number in range(len(pictures)):
        alone = slice(number, number + 1)
        one = perturbation._filled(pictures[alone], gone[alone], fill, rng())
        np.testing.assert_array_equal(together[alone], one)
    red = np.zeros((1, 16, 16, 3), np.uint8)
    red[..., 0] = 200
    filled = perturbation._filled(red, np.ones((1, 16, 16), bool), fill, rng())
    np.testing.assert_array_equal(filled, red)


def test_the_mean_fill_is_the_mean_colour(pictures):
    """Rounded to a grey level."""
    filled = perturbation._filled(pictures, np.ones(pictures.shape[:3], bool), "mean", rng())
    expected = pictures.reshape(len(pictures), -1, 3).mean(1).round()
    np.testing.assert_array_equal(filled[:, 3, 5], expected)
    assert (filled == filled[:, :1, :1]).all()
