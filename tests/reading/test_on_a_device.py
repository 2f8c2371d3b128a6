"""Reading where a GPU is only said to be: what goes there, and that the answers are the same."""

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pandas as pd
import pytest
import torch
from tests.gpu_boundary import Boundary

from emorank import rank_many, read
from emorank.errors import PlanError
from emorank.networks.devices import gpus
from emorank.reading.emotion_network import EmotionNetwork
from emorank.reading.reader import BATCH, TIMES_ON_GPU
from emorank.reading.ready import ready_network
from emorank.study.readers import reader_of

FACES = sorted((Path(str(files("emorank.datasets"))) / "sample_faces" / "faces").iterdir())[:3]
no_gpu = pytest.mark.skipif(gpus() > 0, reason="there is a GPU")


class Elsewhere(EmotionNetwork):
    """Says that it is on a GPU; its weights stay here."""

    @property
    def device(self):
        """A GPU."""
        return torch.device("cuda")


@pytest.fixture
def elsewhere():
    """The shipped network."""
    return Elsewhere(**{name: getattr(ready_network(), name) for name in vars(ready_network())
                        if name in EmotionNetwork.__dataclass_fields__})  # fmt: skip


def test_batches_are_larger_on_a_gpu(elsewhere):
    """With and without relevance of pixels."""
    reader = reader_of(None, network=elsewhere)
    assert reader.batch == TIMES_ON_GPU * BATCH
    assert replace(reader, heatmaps=True).batch == TIMES_ON_GPU * elsewhere.batch
    assert reader_of(None).batch == BATCH


def test_faces_go_to_the_gpu_once_and_the_rows_are_the_same(elsewhere):
    """Logits, contrast and heatmaps share one copy of the pictures, of bytes, pinned."""
    here = reader_of(None, heatmaps=True)
    views = list(here.views([str(path) for path in FACES], crop="none"))
    with Boundary() as boundary:
        faces = list(reader_of(None, network=elsewhere, heatmaps=True).rank(views))
    pictures = [copy for copy in boundary.copies if len(copy[1]) == 4]
    size = elsewhere.size
    assert pictures == [(torch.uint8, (len(FACES), size, size, 3), True, False)]
    rows = pd.DataFrame([face.row for face in faces])
    pd.testing.assert_frame_equal(rows, pd.DataFrame([face.row for face in here.rank(views)]))


def test_a_network_that_is_moved_leaves_the_shared_one(monkeypatch):
    """The shipped network is loaded once for all, so a copy of its weights moves."""
    network = ready_network()
    assert network.on("cpu") is network
    monkeypatch.setattr("emorank.networks.devices.gpus", lambda: 1)
    with Boundary() as boundary:
        moved = network.on("cuda")
    assert len(boundary.copies) == len(list(network.net.parameters()))
    own = {weight.data_ptr() for weight in moved.net.parameters()}
    assert own.isdisjoint(weight.data_ptr() for weight in network.net.parameters())
    assert moved.classes == network.classes


@no_gpu
def test_a_missing_gpu_is_refused_before_anything_is_read(tmp_path):
    """One image or many."""
    with pytest.raises(PlanError, match="no CUDA device 'cuda': torch sees none"):
        read(tmp_path / "no-such.jpg", device="cuda")
    with pytest.raises(PlanError, match="no CUDA device 'cuda': torch sees none"):
        rank_many(FACES, tmp_path / "ranks", device="cuda")
    assert not list(tmp_path.iterdir())


def test_a_cluster_does_not_pretend_to_use_gpus(monkeypatch, tmp_path):
    """Its tasks take the network from a store, and have no GPU."""
    monkeypatch.setattr("emorank.networks.devices.gpus", lambda: 1)
    with pytest.raises(PlanError, match="tasks on Ray compute on the CPU, not on 'cuda'"):
        rank_many(FACES, tmp_path / "ranks", device="cuda", ray="auto")
    assert not list(tmp_path.iterdir())
