"""A trained network as a file: it comes back whole, or with an error that says why not."""

import os

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from emorank.errors import WeightsError
from emorank.networks import checkpoint, tensors
from emorank.networks.checkpoint import Checkpoint
from emorank.vocabulary import Emotion

CLASSES = (Emotion.ANGER, Emotion.HAPPY, Emotion.NEUTRAL)


@pytest.fixture
def saved(net, tmp_path):
    path = tmp_path / "model.safetensors"
    checkpoint.save(Checkpoint(net, CLASSES, 64, "face"), path)
    return path


def test_it_comes_back(saved, net):
    """Classes in order, size, framing, and the same logits."""
    found = checkpoint.load(saved)
    assert (found.classes, found.size, found.crop) == (CLASSES, 64, "face")
    assert not found.net.training
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.equal(found.net(images), net(images))
    assert [p.name for p in saved.parent.iterdir()] == [saved.name]


def test_the_temperature_comes_back(net, tmp_path):
    """And files without it, of earlier versions, are read as before."""
    path = tmp_path / "model.safetensors"
    for known in (2.5, None):
        checkpoint.save(Checkpoint(net, CLASSES, 64, "face", temperature=known), path)
        assert checkpoint.load(path).temperature == known
    assert b"temperature" not in path.read_bytes()


def test_equal_networks_make_equal_files(saved, net):
    """A report prints the file's SHA-256, so nothing in the file is left to chance."""
    before = saved.read_bytes()
    for _ in range(3):
        checkpoint.save(Checkpoint(net, CLASSES, 64, "face"), saved)
        assert saved.read_bytes() == before


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_truncated_file_is_refused(saved, share):
    """The message names the file and what to do."""
    os.truncate(saved, int(saved.stat().st_size * share))
    with pytest.raises(
        WeightsError, match=r"model\.safetensors: truncated or damaged.*train again"
    ):
        checkpoint.load(saved)


def test_other_weights_are_refused(tmp_path):
    """A safetensors file that emorank did not write is not taken for a trained model."""
    save_file({"features.0.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match=r"expected a model trained by emorank"):
        checkpoint.load(tmp_path / "other.safetensors")


def test_an_absent_file_says_what_to_run(tmp_path):
    """No model yet: train one."""
    with pytest.raises(WeightsError, match=r"no trained model here.*emorank train"):
        checkpoint.load(tmp_path / "model.safetensors")


def test_a_failed_save_leaves_the_earlier_file(saved, net, monkeypatch):
    """A full disk half-way: the old model is there, nothing else is, and the error is plain."""
    before = saved.read_bytes()

    def full(state, path, metadata):
        path.write_bytes(b"half")
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(tensors, "save_file", full)
    with pytest.raises(OSError, match=r"could not be written.*No space left"):
        checkpoint.save(Checkpoint(net, CLASSES, 224, "none"), saved)
    assert saved.read_bytes() == before
    assert [p.name for p in saved.parent.iterdir()] == [saved.name]
