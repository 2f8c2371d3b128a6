"""Convolutions by Winograd's algorithm against the direct ones."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from emorank.relevance import winograd


def drawn(shape, seed, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)
    return values.contiguous(memory_format=torch.channels_last) if len(shape) == 4 else values


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**31),
    batch=st.integers(1, 3),
    channels=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    size=st.tuples(st.integers(1, 13), st.integers(3, 9)),
    above=st.integers(1, 2),
    beside=st.integers(0, 2),
    width=st.sampled_from([1, 3]),
    biased=st.booleans(),
)
def test_any_size_and_padding_is_the_direct_convolution(
    seed, batch, channels, size, above, beside, width, biased
):
    """In float64 to rounding: tiles that are not whole, any padding, kernels of one column."""
    inputs = drawn((batch, channels[0], *size), seed)
    weight = drawn((channels[1], channels[0], 3, width), seed + 1)
    bias = drawn((channels[1],), seed + 2) if biased else None
    padding = (above, beside)
    found = winograd.convolve(inputs, winograd.kernels(weight), bias, padding)
    torch.testing.assert_close(
        found, F.conv2d(inputs, weight, bias, padding=padding), rtol=1e-11, atol=1e-11
    )


@pytest.mark.parametrize("channels", [128, 512])
def test_rounding_stays_near_that_of_the_direct_convolution(channels):
    """float32 against float64, for inputs as a ReLU gives them: less than 10⁻⁵ of the greatest."""
    inputs = drawn((1, channels, 28, 28), 3).clamp(min=0)
    weight = drawn((128, channels, 3, 3), 4) / (9 * channels) ** 0.5
    exact = F.conv2d(inputs, weight, padding=1)
    kernels = winograd.kernels(weight.float())
    found = winograd.convolve(inputs.float(), kernels, None, (1, 1)).double()
    assert float((found - exact).abs().max() / exact.abs().max()) < 1e-5
