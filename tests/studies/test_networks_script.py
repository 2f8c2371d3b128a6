"""The script that compares networks of several families; the page says what it found."""

import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from emorank.networks.normalisation import Normalisation

ROOT = Path(__file__).parents[2]
script = runpy.run_path(str(ROOT / "studies" / "faithfulness_networks.py"))
found = pd.read_csv(ROOT / "studies" / "faithfulness_networks.csv")


def test_the_page_has_the_table():
    """As the script writes it from the CSV."""
    page = (ROOT / "docs" / "faithfulness.md").read_text(encoding="utf-8")
    assert script["table"](found) in page


def test_a_network_is_measured_by_every_preset_and_both_ways_to_share():
    """One that looks at a corner: its map is better than edges elsewhere, and random is neither."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, 28, 28, 3)).astype(np.uint8)

    class Corner(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.fc = nn.Conv2d(3, 8, 3, bias=False), nn.Linear(8, 2, bias=False)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.conv(x[:, :, :8, :8]).relu().mean((2, 3))
            return self.fc(x * torch.sigmoid(x))

    normalisation = Normalisation((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    net = Corner().eval().requires_grad_(False)
    given = (normalisation, images, np.ones(6, int), np.array(list("aabbcc")))
    one = script["Measured"]("corner", "none", net, *given, gates=True)
    rows = pd.DataFrame(script["measure"](one))
    assert len(rows) == (2 + 2 * len(script["PRESETS"])) * len(script["FILLS"])
    assert set(rows["persons"]) == {3}
    values = rows.set_index(["map", "fill"])["between"]
    assert abs(values["epsilon", "mean"]) > 5 * abs(values["random", "mean"])
    even = rows[rows["map"] == "epsilon, products even"]
    assert even["less signal"].notna().all()
    assert rows[rows["map"] == "edges"]["less edges"].eq(0).all()


@pytest.mark.parametrize("name", script["FAMILIES"])
def test_each_family_is_read(name):
    """Half the side, and as many channels as asked for."""
    block = script["FAMILIES"][name](4, 6).eval()
    assert block(torch.zeros(1, 4, 8, 8)).shape == (1, 6, 4, 4)
