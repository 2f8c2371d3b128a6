"""A vision transformer beside LXT 2.1, by the authors of AttnLRP: its functions, written out.

LXT's licence (Clear BSD) allows this use; it is an oracle of the tests only.
"""

import pytest
import torch
from small_transformers import HEADS, pictures, transformer

from emorank.relevance import Preset, attention_steps, joins, linear_maps, relevance
from emorank.relevance.rules import Zero
from reference.lxt_transformer import by_lxt


@pytest.fixture
def no_stabilisers(monkeypatch):
    """The limit of no stabiliser, where ours (ε sign z, once) and LXT's (ε, often) are one."""
    for module in (attention_steps, joins, linear_maps):
        monkeypatch.setattr(module, "EPSILON", 0.0)


@pytest.mark.parametrize("products", ["even", "signal"])
@pytest.mark.usefixtures("no_stabilisers")
def test_a_vision_transformer_as_lxt_explains_it(products):
    """AttnLRP (half to each factor), and CP-LRP (the attention's weights constant), to rounding."""
    net, batch = transformer("timm's"), pictures()
    preset = Preset(Zero(), Zero(), Zero(), products=products)
    mine = relevance(net, batch, 1, preset)
    logits, expected = by_lxt(net, batch, HEADS, constant=products == "signal")
    torch.testing.assert_close(mine.logits, logits, rtol=1e-12, atol=1e-12)
    assert float(expected.abs().max()) > 1e-2
    torch.testing.assert_close(mine.pixels, expected, rtol=1e-8, atol=1e-10)
