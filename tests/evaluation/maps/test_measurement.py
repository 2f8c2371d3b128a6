"""All measurements of a method on a linear network whose answers are known."""

import numpy as np
import pandas as pd
import pytest

from emorank.evaluation.maps.localisation import REGIONS, face_masks, features, mass
from emorank.evaluation.maps.map_scores import COLUMNS
from emorank.evaluation.maps.measurement import ExplainedFaces, Renewed, measure, steps
from emorank.evaluation.maps.region_perturbation import curves, ends
from emorank.evaluation.maps.sensitivity import max_sensitivity, shift_sensitivity
from emorank.evaluation.maps.similarity import spearman, ssim
from emorank.faces import TEMPLATE

SIDE, NAMES = 28, ["a", "b", "c"]
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (3, SIDE, SIDE, 3), dtype=np.uint8)
WEIGHTS = RNG.normal(size=(2, SIDE, SIDE, 3)) / 100
TARGET = np.array([0, 1, 0])
MASKS = face_masks(TEMPLATE * SIDE, SIDE)


def logits(images):
    return np.einsum("bhwc,khwc->bk", images.astype(float), WEIGHTS)


def explain(images, target):
    """Weight times pixel: sums to the logit."""
    return (images * WEIGHTS[target]).sum(3)


def faces(**changed):
    values = {
        "names": NAMES, "images": IMAGES, "target": TARGET, "classes": 2, "logits": logits,
        "score": logits, "masks": [MASKS, None, MASKS], "checks": 2, "seed": 3,
    } | changed  # fmt: skip
    return ExplainedFaces(**values)


def measured(method="product", fills=("mean", "blur"), renewed=(), **changed):
    told = []
    table, passes = measure(
        faces(**changed), method, explain, renewed, fills, lambda *step: told.append(step)
    )
    assert passes > 0
    assert tuple(table.columns) == COLUMNS
    return table, told


def values(table, measure, of=""):
    some = table[(table["measure"] == measure) & (table["of"] == of)]
    return dict(zip(some["image"], some["value"], strict=True))


def new_weights(how, layers):
    """The method on a network with other weights."""
    other = np.random.default_rng(len(layers)).normal(size=WEIGHTS.shape)
    return Renewed(how, layers, lambda images, target: (images * other[target]).sum(3))


def test_everything_is_measured_step_by_step():
    """As many steps as announced, in order, and each measurement in its rows."""
    renewed = [new_weights("cascading", "fc"), new_weights("independent", "conv")]
    table, told = measured(renewed=renewed)
    assert [number for number, _ in told] == list(range(steps(("mean", "blur"), 2, 2)))
    assert [name for _, name in told] == [
        "relevance", "regions taken away, mean", "regions taken away, blur", "noise",
        "another class", "new weights, cascading, fc", "new weights, independent, conv",
    ]  # fmt: skip
    counts = table.groupby("measure")["image"].nunique()
    checked = {
        "noise", "shift", "spearman other class", "spearman cascading", "ssim cascading",
        "spearman independent", "ssim independent",
    }  # fmt: skip
    assert set(counts[counts == 2].index) == checked
    assert {"gap", "mass", "rank accuracy", "between"} <= set(counts[counts == 3].index)


def test_values_are_those_of_the_functions():
    """Curves, sums, places and checks, with the generators that are the faces' own."""
    first = new_weights("cascading", "fc")
    table, _ = measured(fills=("noise",), renewed=[first])
    maps, own = explain(IMAGES, TARGET), faces()
    assert max(values(table, "gap").values()) < 1e-12
    places = values(table, "mass", "mouth")
    assert places["a"] == pytest.approx(mass(maps[0], MASKS)["mouth"])
    assert np.isnan(places["b"])
    assert np.isnan(values(table, "rank accuracy")["b"])
    at = ends(logits, IMAGES, "noise", own.rng("ends"))
    path = curves(logits, IMAGES, maps, TARGET, "noise", at, own.rng("ties"))
    np.testing.assert_allclose(list(values(table, "between", "noise").values()), path.between())
    few = slice(2)

    def same_class(images):
        return explain(images, TARGET[few])

    expected = {
        "noise": max_sensitivity(same_class, IMAGES[few], maps[few], own.rng("noise")),
        "shift": shift_sensitivity(same_class, IMAGES[few], maps[few]),
        "spearman other class": spearman(maps[few], explain(IMAGES[few], 1 - TARGET[few])),
    }
    changed = first.explain(IMAGES[few], TARGET[few])
    for name, numbers in expected.items():
        np.testing.assert_allclose(list(values(table, name).values()), numbers, err_msg=name)
    found = values(table, "ssim cascading", "fc")
    np.testing.assert_allclose(list(found.values()), ssim(maps[few], changed))
    found = values(table, "spearman cascading", "fc")
    np.testing.assert_allclose(list(found.values()), spearman(maps[few], changed))


def test_without_checks_or_faces_there_is_less():
    """No check at all, no place where no face was found; networks with new weights are not read."""

    def unread():
        raise AssertionError
        yield

    table, told = measured(renewed=unread(), checks=0, masks=[None] * 3)
    assert len(told) == steps(("mean", "blur"), 9, 0) == 3
    assert not set(table["measure"]) & {"noise", "shift", "mass", "rank accuracy"}
    assert faces(masks=[None] * 3).regions == ()
    assert faces().regions == REGIONS
    assert features(MASKS).any()


def test_a_blind_map_explains_no_logit_and_one_class_has_no_other():
    """No gap, no other class."""
    table, _ = measured("random", fills=("mean",), checks=1)
    assert "gap" not in set(table["measure"])
    one, _ = measured(
        fills=("mean",), classes=1, logits=lambda some: logits(some)[:, :1], target=np.zeros(3, int)
    )
    assert "spearman other class" not in set(one["measure"])
    assert "noise" in set(one["measure"])


def test_the_ends_are_computed_once_and_logits_of_zero_have_no_gap():
    """The same object again; a share of a logit of zero is not defined."""
    own = faces()
    assert own.ends("mean") is own.ends("mean")
    assert own.ends("mean") is not own.ends("blur")
    table, _ = measured(fills=(), logits=lambda some: np.zeros((len(some), 2)), checks=0)
    assert pd.Series(values(table, "gap")).isna().all()
    gap, _ = measured(fills=(), logits=lambda some: 2 * logits(some), checks=0)
    np.testing.assert_allclose(list(values(gap, "gap").values()), 0.5)
    np.testing.assert_allclose(faces().target_logits, logits(IMAGES)[[0, 1, 2], TARGET])
