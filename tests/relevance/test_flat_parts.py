"""How much of a picture is flat, and what the record says of it."""

import pytest
import torch
from small_nets import build, images

from emorank.relevance import METHODS, PRESETS, explainer, flat_parts, override_preset
from emorank.relevance.flat_parts import flat_share
from emorank.relevance.presets import depends_on_ties


def test_the_share_is_counted_in_tiles_of_one_colour():
    """All channels must be flat; steps of 8 bits are none, rounding is; each image by itself."""
    noise = torch.rand(6, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    half, border, one_channel, steps, whole, _ = noise
    half[:, 8:] = 0.5 + 1e-7 * half[:, 8:]
    border[:, :4], border[:, :, :4] = 0.0, 0.0
    one_channel[0] = 0.0
    steps[:, 8:] = (steps[:, 8:] > 0.5) / 255
    whole[:] = 3.0
    torch.testing.assert_close(flat_share(noise), torch.tensor([1 / 2, 7 / 16, 0, 0, 1, 0]))
    assert flat_share(noise[:0]).shape == (0,)
    assert float(flat_share(torch.ones(1, 3, 2, 3))) == 1


@pytest.mark.parametrize("method", METHODS)
def test_every_record_says_it(method):
    """Of each image, whoever explains; with every class too."""
    batch = images()
    batch[1, :, 3:] = 0.25
    batch[1, :, :3] = 0.25
    low, high = torch.full((3,), -9.0), torch.full((3,), 9.0)
    explain = explainer(build("vgg-like"), method, low=low, high=high)
    for record in (explain(batch, 1), *explain.each(batch, [0, 2])):
        assert record.flat.tolist() == [0, 1]
    assert explain(batch[:0], 1).flat.shape == (0,)


def test_only_rules_whose_shares_cancel_need_care():
    """A word from a tenth on, and only under them and a pooling with one winner."""
    care = {name for name in PRESETS if depends_on_ties(name)}
    assert care == {"epsilon"}
    assert not depends_on_ties("deep-lift")
    assert not depends_on_ties(override_preset("epsilon", max_pooling="even"))
    assert depends_on_ties(override_preset("epsilon-plus", {"0:2": "zero"}))
    assert flat_parts.warning(0.099) == ""
    assert flat_parts.warning(0.25).startswith("25% of the picture is of one colour")
