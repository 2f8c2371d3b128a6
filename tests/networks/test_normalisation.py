"""From 8-bit images to the numbers that a network was trained on."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from emorank.networks.normalisation import IMAGENET, Normalisation, to_batch


def test_normalising_uses_imagenets_mean_and_deviation():
    """Mean grey becomes zero, one deviation above it one."""
    mean = torch.tensor([0.485, 0.456, 0.406])
    deviation = torch.tensor([0.229, 0.224, 0.225])
    for steps in (0.0, 1.0):
        pixels = (mean + steps * deviation).view(1, 3, 1, 1).expand(1, 3, 2, 2)
        expected = torch.full((1, 3, 2, 2), steps)
        torch.testing.assert_close(IMAGENET(pixels), expected, atol=1e-6, rtol=0)


@given(hnp.arrays(np.float32, (1, 3, 2, 2), elements=st.floats(0, 1, width=32)))
def test_no_pixel_leaves_the_bounds(pixels):
    """What a pixel in [0, 1] becomes lies between the bounds of its channel."""
    low, high = IMAGENET.bounds()
    found = IMAGENET(torch.from_numpy(pixels))
    assert bool((found >= low.view(3, 1, 1)).all())
    assert bool((found <= high.view(3, 1, 1)).all())


def test_a_batch_is_normalised_pixels(images):
    """8-bit RGB, height and width first, becomes normalised channels-first float32."""
    found = to_batch(images[:2])
    expected = torch.from_numpy(np.stack(images[:2]).transpose(0, 3, 1, 2)).float() / 255
    torch.testing.assert_close(found, IMAGENET(expected))
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_another_normalisation_takes_the_place_of_imagenets():
    """(pixel / 255 - mean) / deviation of each channel, written out, and its bounds."""
    other = Normalisation(mean=(0.4, 0.5, 0.6), deviation=(1.0, 0.5, 0.25))
    image = np.full((2, 2, 3), (51, 102, 255), np.uint8)
    batch = to_batch([image], other)
    torch.testing.assert_close(batch[0, :, 0, 0], torch.tensor([-0.2, -0.2, 1.6]))
    low, high = other.bounds()
    torch.testing.assert_close(low, torch.tensor([-0.4, -1.0, -2.4]))
    torch.testing.assert_close(high, torch.tensor([0.6, 1.0, 1.6]))
