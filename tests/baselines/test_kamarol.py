"""Sequences: their order, the Markov model's states, and the weighted votes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emorank.baselines.kamarol import Kamarol, chains


def fitted(parted):
    learn, ranks, *_ = parted
    return Kamarol(components=10, cost=1.0).fit(learn, ranks)


def test_states_are_in_order(parted):
    """Neutral, onset, apex: what the states show rises, and sequences rather rise than fall."""
    model = fitted(parted).markov_
    assert (np.diff(model.means) > 0).all()
    moves = model.moves
    assert moves[0, 1] > moves[1, 0]
    assert moves[1, 2] > moves[2, 1]
    assert model.starts.argmax() == 0
    np.testing.assert_allclose(moves.sum(axis=1), 1)


def test_a_sequence_does_not_depend_on_the_order_of_the_table(parted):
    """Frames are put in order before they are judged, and answers given back in the table's."""
    *_, strangers, _ = parted
    estimator = fitted(parted)
    order = np.random.default_rng(0).permutation(len(strangers))
    straight, mixed = estimator.predict(strangers), estimator.predict(strangers.take(order))
    np.testing.assert_array_equal(straight[order], mixed)


def test_all_frames_of_a_sequence_vote_together(parted):
    """One expression for the whole sequence."""
    *_, strangers, _ = parted
    said = fitted(parted).expression(strangers)
    for chain in chains(strangers):
        assert len(set(said[chain])) == 1
    assert set(said) == {"happy", "neutral"}


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.integers(0, 9)), min_size=1))
def test_chains_are_a_partition(parted, rows):
    """Every face is in one chain; frames rise; a face of no sequence is alone."""
    learn, *_ = parted
    faces = learn.take(np.zeros(len(rows), np.int64))
    sequence = np.array([name for name, _ in rows] + [None], object)[:-1]
    frame = np.array([number for _, number in rows])
    object.__setattr__(faces, "sequence", sequence)
    object.__setattr__(faces, "frame", frame)
    found = chains(faces)
    assert sorted(np.concatenate(found)) == list(range(len(rows)))
    for chain in found:
        assert (np.diff(frame[chain]) >= 0).all()
        assert len({sequence[i] for i in chain}) == 1
        assert sequence[chain[0]] is not None or len(chain) == 1
