"""Dawid and Skene's model: the paper's own data, simulated raters, invariants."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference.agreement import dawid_skene_likelihood

from emorank.answers.answers_table import answers_table
from emorank.answers.dawid_skene import dawid_skene, dawid_skene_verdicts

# Dawid and Skene 1979, Table 1: fitness of 45 patients for anaesthesia in the eyes of five
# anaesthetists, of whom the first looked three times.
PATIENTS = """
1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223
2322223 4444444 2223343 1111111 2223212 1211111 1112111 1111111 1111111
2222221 2221322 2222222 2222221 2223222 2212222 1111111 1111111 2322222
1111111 1111111 1121121 1111111 3333233 1111111 2222222 2223232 4334343
2212232 2323233 3333432 1111111 1111111 1212111 2322222 1211111 2222222
"""
RATER = (0, 0, 0, 1, 2, 3, 4)


@pytest.fixture(scope="module")
def anaesthetists():
    votes = [
        (unit, rater, int(answer) - 1)
        for unit, row in enumerate(PATIENTS.split())
        for rater, answer in zip(RATER, row, strict=True)
    ]
    return votes, dawid_skene(*np.array(votes).T, 4)


def test_the_papers_prior_and_errors(anaesthetists):
    """Table 2: the shares of the four classes, and the first anaesthetist's errors."""
    _, found = anaesthetists
    assert found.converged
    assert found.prior.round(2).tolist() == [0.40, 0.42, 0.11, 0.07]
    assert found.errors[0].round(2).tolist()[:2] == [[0.89, 0.11, 0, 0], [0.07, 0.88, 0.05, 0]]


def test_most_classes_are_certain(anaesthetists):
    """And patient 2, whom most votes put into class 3, goes to class 4: who says 4 rarely errs."""
    _, found = anaesthetists
    assert (found.posterior.max(axis=1) > 0.99).sum() >= 38
    assert found.posterior[[0, 1, 10]].argmax(axis=1).tolist() == [0, 3, 3]


def test_the_likelihood_is_that_of_the_votes(anaesthetists):
    """The last log-likelihood is the sum over classes, multiplied out vote by vote."""
    votes, found = anaesthetists
    direct = dawid_skene_likelihood(votes, found.prior, found.errors)
    assert found.log_likelihood[-1] == pytest.approx(math.log(direct))


VOTES = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=40
)


@given(VOTES)
def test_it_never_gets_worse(votes):
    """Whatever is missing or doubled: shares are shares, and the likelihood does not fall."""
    unit, rater, answer = np.array(votes).T
    unit, rater = (np.unique(codes, return_inverse=True)[1] for codes in (unit, rater))
    found = dawid_skene(unit, rater, answer, 3, iterations=50)
    np.testing.assert_allclose(found.posterior.sum(axis=1), 1)
    np.testing.assert_allclose(found.prior.sum(), 1)
    rows = found.errors.sum(axis=-1)
    np.testing.assert_allclose(rows[~np.isnan(rows)], 1)
    assert (np.diff(found.log_likelihood) >= -1e-8).all()
    direct = dawid_skene_likelihood(
        list(zip(unit, rater, answer, strict=True)), found.prior, np.nan_to_num(found.errors)
    )
    assert found.log_likelihood[-1] == pytest.approx(math.log(direct), abs=1e-6)


def test_it_finds_simulated_raters():
    """Three good raters and four who answer at random: the model trusts the good ones."""
    rng = np.random.default_rng(5)
    truth = rng.integers(3, size=600)
    good = [np.where(rng.random(600) < 0.9, truth, rng.integers(3, size=600)) for _ in range(3)]
    bad = [rng.integers(3, size=600) for _ in range(4)]
    answers = np.stack([*good, *bad])
    rater, unit = np.indices(answers.shape)
    found = dawid_skene(unit.ravel(), rater.ravel(), answers.ravel(), 3)
    mine = (found.posterior.argmax(axis=1) == truth).mean()
    counts = np.stack([(answers == k).sum(axis=0) for k in range(3)])
    assert mine > (counts.argmax(axis=0) == truth).mean() + 0.05
    assert (np.diagonal(found.errors[:3], axis1=1, axis2=2) > 0.85).all()
    assert (np.abs(found.errors[3:] - 1 / 3) < 0.12).all()


def test_verdicts_of_a_table_of_answers():
    """Units keep their order; Skip and second showings are no votes."""
    rows = [
        {"image": image, "emotion": emotion, "rater": rater, "answer": answer}
        for image, emotion, answer in (("b", "happy", "Strong"), ("a", None, "None"))
        for rater in ("r1", "r2", "r3")
    ]
    rows.append({"image": "c", "rater": "r1", "answer": "Skip"})
    rows.append({"image": "a", "rater": "r1", "answer": "Strong", "repeat": True})
    table, model = dawid_skene_verdicts(answers_table(rows))
    assert table["image"].tolist() == ["b", "a"]
    assert table["answer"].tolist() == ["Strong", "None"]
    assert (table["probability"] > 0.99).all()
    assert table.attrs["raters"] == ["r1", "r2", "r3"]
    assert model.errors.shape == (3, 4, 4)


def test_it_ends_when_the_likelihood_has_settled():
    """Within the tolerance, relative to a likelihood that is large; or after its iterations."""
    unit, rater, answer = np.array([(u, r, (u + r * u) % 2) for u in range(8) for r in range(3)]).T
    model = dawid_skene(unit, rater, answer, 2)
    assert model.converged
    assert len(model.log_likelihood) < 1000
    rises = np.diff(model.log_likelihood)
    allowed = 1e-8 * np.maximum(1, np.abs(model.log_likelihood[1:]))
    assert (rises[:-1] > allowed[:-1]).all()
    assert rises[-1] <= allowed[-1]
    assert not dawid_skene(unit, rater, answer, 2, iterations=2, tolerance=0).converged


def test_a_perfect_likelihood_settles_too():
    """Where all agree its logarithm is 0, and the tolerance must not shrink with it."""
    unit, rater = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    model = dawid_skene(unit, rater, np.zeros(4, np.int64), 2, tolerance=1e-8)
    assert model.converged
    assert len(model.log_likelihood) == 2


def test_a_rater_without_a_unit_of_a_class_has_no_errors_there():
    """NaN, not a share of nothing."""
    model = dawid_skene(np.array([0, 0]), np.array([0, 1]), np.array([1, 1]), 2)
    assert np.isnan(model.errors[:, 0]).all()
    np.testing.assert_allclose(model.errors[:, 1], [[0, 1], [0, 1]])


def test_no_votes_no_verdicts():
    """An empty table has an empty result."""
    table, model = dawid_skene_verdicts(answers_table([]))
    assert len(table) == 0
    assert model.posterior.shape == (0, 4)
