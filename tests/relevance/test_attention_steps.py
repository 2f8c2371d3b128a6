"""Relevance through softmax, products of signals and constants beside them, against loops."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from emorank.errors import RelevanceError
from emorank.relevance.attention_layers import (
    JoinedWithConstants,
    MatrixProduct,
    Moved,
    WithConstant,
)
from emorank.relevance.attention_steps import (
    BesideConstants,
    ConstantProduct,
    Reordered,
    SignalProduct,
    Silent,
    SoftmaxStep,
)

EPSILON = 1e-6
SIZES = st.integers(1, 4)


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def through(step, *inputs, seed: int = 9):
    """Relevance at the outputs, and what is sent back."""
    outputs, saved = step.forward(*inputs)
    relevance = drawn(*outputs.shape, seed=seed)
    return relevance, outputs, step.backward(relevance.clone(), saved)


@settings(max_examples=25, deadline=None)
@given(SIZES, SIZES, st.integers(1, 5), st.sampled_from([1, 2, -1]))
def test_softmax_by_its_taylor_expansion(batch, rows, columns, dim):
    """R_i = Σ_j x_i J_ij R_j / s_j with the Jacobian of torch; what is left is the bias's."""
    inputs = drawn(batch, rows, columns)
    step = SoftmaxStep("softmax", nn.Softmax(dim), distributed=False)
    relevance, outputs, sent = through(step, inputs)
    expected = torch.empty_like(inputs)
    for k in range(batch):
        jacobian = torch.autograd.functional.jacobian(
            lambda x: x.softmax(dim if dim < 0 else dim - 1), inputs[k]
        )
        expected[k] = inputs[k] * torch.einsum("ab,abij->ij", relevance[k] / outputs[k], jacobian)
    torch.testing.assert_close(sent.to[0], expected, rtol=1e-9, atol=1e-11)
    kept = relevance.sum((1, 2)) - expected.sum((1, 2))
    torch.testing.assert_close(sent.bias, kept, rtol=1e-9, atol=1e-11)


def test_softmax_gives_nothing_to_what_a_mask_leaves_out():
    """Its weight is zero; with the bias spread over the row, all arrives."""
    inputs = drawn(2, 3, 4)
    inputs[..., 2] = -6e4
    for distributed in (False, True):
        step = SoftmaxStep("softmax", nn.Softmax(-1), distributed)
        outputs, saved = step.forward(inputs)
        relevance = outputs * drawn(*outputs.shape)
        given = step.backward(relevance, saved).to[0]
        if not distributed:
            assert not given[..., 2].any()
        else:
            torch.testing.assert_close(given.sum(-1), relevance.sum(-1))


def test_softmax_over_images_is_refused():
    """They would be weighed against each other."""
    with pytest.raises(RelevanceError, match="a dimension of each image"):
        SoftmaxStep("softmax", nn.Softmax(0), distributed=False).forward(drawn(2, 3))


def loops(a: np.ndarray, b: np.ndarray, r: np.ndarray, halves: float):
    """Each contribution a_im b_ml its part of R_il, of which a factor takes its share."""
    to_a, to_b = np.zeros_like(a), np.zeros_like(b)
    for i, j in np.ndindex(r.shape):
        z = sum(a[i, m] * b[m, j] for m in range(a.shape[1]))
        z += EPSILON if z >= 0 else -EPSILON
        for m in range(a.shape[1]):
            part = a[i, m] * b[m, j] / z * r[i, j]
            to_a[i, m] += halves * part
            to_b[m, j] += halves * part
    return to_a, to_b


@settings(max_examples=25, deadline=None)
@given(SIZES, SIZES, SIZES, SIZES, st.sampled_from([None, 0, 1]), st.booleans())
def test_products_of_two_signals(batch, rows, inner, columns, signal, einsum):
    """Half to each factor, or all to one; also as an einsum."""
    a, b = drawn(batch, rows, inner), drawn(batch, inner, columns, seed=1)
    layer = MatrixProduct("bim,bmj->bij" if einsum else "")
    relevance, outputs, sent = through(SignalProduct("matmul", layer, signal), a, b)
    torch.testing.assert_close(outputs, a @ b)
    for k in range(batch):
        expected = loops(*(t[k].numpy() for t in (a, b, relevance)), 0.5 if signal is None else 1)
        for place, one in enumerate(expected):
            if signal in (None, place):
                np.testing.assert_allclose(sent.to[place][k], one, rtol=1e-9, atol=1e-11)
            else:
                assert sent.to[place] is None
    arrived = sum(part.sum((1, 2)) for part in sent.to if part is not None)
    torch.testing.assert_close(arrived + sent.stabiliser, relevance.sum((1, 2)))


@pytest.mark.parametrize("place", [0, 1])
def test_a_product_with_a_constant_is_a_layer_with_weights(place):
    """By epsilon, all to the signal; a constant of many heads too."""
    values, constant = drawn(2, 3, 4, 4), drawn(3, 4, 4, seed=1)
    step = ConstantProduct("matmul", WithConstant(MatrixProduct(), constant[None], place))
    relevance, _, sent = through(step, values)
    for k, head in np.ndindex(2, 3):
        pair = [values[k, head].numpy(), constant[head].numpy()]
        both = loops(*(pair[::-1] if place == 0 else pair), relevance[k, head].numpy(), 1)
        np.testing.assert_allclose(sent.to[0][k, head], both[1 - place], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("distributed", [False, True])
def test_what_lies_at_a_class_token_is_its_share(distributed):
    """It is accounted for as a bias, or spread over the signals."""
    layer = JoinedWithConstants(1, {0: drawn(1, 1, 3), 2: drawn(1, 2, 3)})
    step = BesideConstants("cat", layer, distributed)
    relevance, outputs, sent = through(step, drawn(2, 4, 3, seed=2))
    assert outputs.shape == (2, 7, 3)
    mine = relevance[:, 1:5]
    if distributed:
        left = (relevance.sum((1, 2)) - mine.sum((1, 2)))[:, None, None] / 12
        torch.testing.assert_close(sent.to[0], mine + left)
        assert sent.bias is None
    else:
        torch.testing.assert_close(sent.to[0], mine)
        torch.testing.assert_close(sent.bias + mine.sum((1, 2)), relevance.sum((1, 2)))


def test_what_is_moved_is_moved_back():
    """The inverse, not another pass."""
    layer = Moved(lambda v: v.permute(0, 2, 1), lambda r, _: r.permute(0, 2, 1))
    relevance, _, sent = through(Reordered("permute", layer), drawn(2, 3, 4))
    torch.testing.assert_close(sent.to[0], relevance.transpose(1, 2))


def test_a_step_that_nothing_comes_to_keeps_nothing():
    """Its activations would take memory for nothing."""
    step = Silent(SignalProduct("matmul", MatrixProduct(), 1))
    outputs, saved = step.forward(drawn(2, 3, 4), drawn(2, 4, 2))
    assert (step.name, step.passes, step.silent, saved) == ("matmul", False, (0,), ())
    assert outputs.shape == (2, 3, 2)
