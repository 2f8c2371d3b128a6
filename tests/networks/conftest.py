"""A network with few outputs and random weights, and features that are easy to tell apart."""

import numpy as np
import pytest
import torch

from emorank.networks.features import Features
from emorank.networks.training import Examples, Recipe, fresh


@pytest.fixture(scope="session")
def net():
    """VGG-16 with three classes and a narrow classifier, in evaluation mode; not to be changed."""
    return fresh(3, {}, Recipe(hidden=8, seed=1)).eval()


@pytest.fixture(scope="session")
def convolutions(net):
    """The random convolutions of `net` as a state dict."""
    return {f"features.{k}": v.contiguous() for k, v in net.features.state_dict().items()}


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """An empty cache folder for one test."""
    monkeypatch.setenv("EMORANK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def images():
    """Five noise images of 32 pixels."""
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (32, 32, 3), dtype=np.uint8) for _ in range(5)]


@pytest.fixture(scope="session")
def toy():
    """Make examples of classes with a pattern each: `toy(labels, side)`, side 7 for the head."""
    patterns = torch.randn(3, 512, 7, 7, generator=torch.Generator().manual_seed(0)).numpy()

    def examples(labels, side=7, views=1, noise=0.5, seed=0):
        labels = np.asarray(labels, np.int64)
        random = np.random.default_rng(seed)
        clean = np.repeat(patterns[labels][:, :, :side, :side], views, axis=0)
        records = clean + noise * random.standard_normal(clean.shape)
        numbers = np.arange(len(labels) * views)
        found = Features(records.astype(np.float16), numbers)
        return Examples(found, numbers.reshape(len(labels), views), labels)

    return examples
