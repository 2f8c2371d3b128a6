"""Every estimator solves a problem it must solve, and no other; scikit-learn's conventions."""

import functools
import inspect

import numpy as np
import pytest
from sklearn.base import clone

from emorank.baselines import ESTIMATORS

# Few components and light penalties: there are 32 faces to learn from, and no noise to speak of.
SMALL = {
    "kamarol": {"components": 10, "cost": 1.0},
    "song_chien": {"components": 16},
    "akhand": {"hidden": 32, "epochs": 15, "block_epochs": 0, "learning_rate": 1e-3},
    "chang": {"components": 20},
    "pal_satsangi": {"clusters": 8, "alpha": 0.1},
    "delannoy_mcdonald": {"components": 10},
}
NAMES = [
    pytest.param(name, marks=pytest.mark.weights if name == "akhand" else ()) for name in SMALL
]


def small(name):
    return ESTIMATORS[name].make(**SMALL[name])


@pytest.fixture(scope="session")
def fitted(parted):
    """Each estimator by its name, fitted once for all tests; not to be changed."""
    learn, ranks, _, _ = parted
    return functools.cache(lambda name: small(name).fit(learn, ranks))


@pytest.mark.parametrize("name", NAMES)
def test_the_levels_of_strangers_are_found(name, fitted, parted):
    """Levels that anybody sees are right on persons who were never learnt from, and in order."""
    _, _, strangers, truth = parted
    assert (fitted(name).predict(strangers) == truth).mean() >= 0.8
    assert np.corrcoef(fitted(name).intensity(strangers), truth)[0, 1] > 0.85


@pytest.mark.parametrize("name", NAMES)
def test_turned_levels_teach_nothing(name, parted):
    """Where each expression has each level as often, that of strangers is not found any more.

    One turn of three may agree with the truth by chance, so it is the mean of all three.
    """
    learn, ranks, strangers, truth = parted
    learn, ranks = learn.take(np.arange(24)), ranks[:24]  # six persons, two for each turn
    right = []
    for first in range(3):
        turned = (ranks - 1 + first + np.arange(len(ranks)) // 4) % 3 + 1  # one more each person
        said = small(name).fit(learn, np.where(ranks > 0, turned, 0)).predict(strangers)
        right.append((said == truth)[truth > 0].mean())
    assert np.mean(right) < 0.6


@pytest.mark.parametrize("name", [*SMALL, "majority"])
def test_parameters_follow_scikit_learn(name):
    """A clone has the same parameters; __init__ keeps them as they came, and does nothing else."""
    made = ESTIMATORS[name].make(**SMALL.get(name, {}))
    names = set(inspect.signature(type(made)).parameters)
    assert set(made.get_params()) == names
    assert clone(made).get_params() == made.get_params()
    assert set(vars(made)) == set(made.get_params())


@pytest.mark.parametrize("name", ["song_chien", "pal_satsangi", "chang", "delannoy_mcdonald"])
def test_the_same_seed_gives_the_same_answer(name, fitted, parted):
    """Two fits on the same faces say the same, bit for bit."""
    learn, ranks, strangers, _ = parted
    again = small(name).fit(learn, ranks).intensity(strangers)
    np.testing.assert_array_equal(fitted(name).intensity(strangers), again)


@pytest.mark.parametrize("name", NAMES)
def test_two_classes_will_do(name, parted):
    """Neutral against strong, as for faces that nobody rated."""
    learn, ranks, strangers, truth = parted
    ends, tested = np.isin(ranks, (0, 3)), np.isin(truth, (0, 3))
    fitted = small(name).fit(learn.take(np.flatnonzero(ends)), ranks[ends])
    said = fitted.predict(strangers.take(np.flatnonzero(tested)))
    assert set(said) <= {0, 3}
    assert (said == truth[tested]).mean() >= 0.8


@pytest.mark.parametrize("name", ["pal_satsangi", pytest.param("akhand", marks=NAMES[2].marks)])
def test_probabilities_are_of_the_levels(name, fitted, parted):
    """They sum to one, and the level given is the most probable."""
    strangers, made = parted[2], fitted(name)
    p = made.predict_proba(strangers)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(made.classes_[p.argmax(axis=1)], made.predict(strangers))


@pytest.mark.parametrize("name", ["kamarol", "song_chien"])
def test_the_emotion_must_be_known_to_learn(name, parted):
    """Who learns from emotions says so where there is none."""
    learn, ranks, _, _ = parted
    with pytest.raises(ValueError, match="expected the expressed emotion of every face"):
        small(name).fit(learn.blind(), ranks)


@pytest.mark.weights
def test_the_last_block_is_learnt_too(fitted, parted):
    """The second stage changes the last convolutions, and the first none of them."""
    learn, ranks, strangers, truth = parted
    head = fitted("akhand").net_
    both = small("akhand").set_params(block_epochs=1).fit(learn, ranks)
    first, second = head.state_dict(), both.net_.state_dict()
    changed = [k for k in first if not np.array_equal(first[k].numpy(), second[k].numpy())]
    convolutions = {int(k.split(".")[1]) for k in changed if k.startswith("features")}
    assert convolutions == {24, 26, 28}
    assert (both.predict(strangers) == truth).mean() > 0.5
