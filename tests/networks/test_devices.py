"""Devices by name, and copies to them."""

import numpy as np
import pytest
import torch
from tests.gpu_boundary import Boundary

from emorank.errors import PlanError
from emorank.networks.devices import AUTO, device_of, gpus, sent
from emorank.networks.normalisation import to_batch

no_gpu = pytest.mark.skipif(gpus() > 0, reason="there is a GPU")


def test_the_cpu_by_its_name():
    """Also where nothing else is there for "auto"."""
    assert device_of("cpu") == torch.device("cpu")
    assert device_of(AUTO).type == ("cuda" if gpus() else "cpu")


@pytest.mark.parametrize("name", ["abacus", "cuda:x", "meta", ""])
def test_a_name_of_no_device_is_refused(name):
    """With the names that are known."""
    with pytest.raises(PlanError, match=f"cannot compute on '{name}': .*cpu, cuda, cuda:N"):
        device_of(name)


@no_gpu
@pytest.mark.parametrize("name", ["cuda", "cuda:1"])
def test_without_a_gpu_one_sentence_says_so(name):
    """What torch sees, and what else can be given."""
    with pytest.raises(PlanError) as caught:
        device_of(name)
    words = str(caught.value)
    assert words.startswith(f"no CUDA device '{name}': torch sees none")
    assert words.endswith("name another device, or auto")
    assert "\n" not in words


def test_a_gpu_that_is_not_there_is_refused_beside_others(monkeypatch):
    """Two GPUs are cuda:0 and cuda:1."""
    monkeypatch.setattr("emorank.networks.devices.gpus", lambda: 2)
    assert device_of("cuda:1") == torch.device("cuda:1")
    with pytest.raises(PlanError, match=r"'cuda:2': torch sees 2, cuda:0 to cuda:1"):
        device_of("cuda:2")


def test_a_tensor_for_the_cpu_stays():
    """Nothing is copied."""
    numbers = torch.arange(3)
    assert sent(numbers, "cpu") is numbers


def test_pictures_go_to_a_gpu_pinned_and_as_bytes():
    """A quarter of what float32 would be; the process does not wait for the copy."""
    pictures = [np.full((4, 4, 3), level, np.uint8) for level in (0, 255)]
    with Boundary() as boundary:
        batch = to_batch(pictures, device="cuda")
    assert boundary.copies == [(torch.uint8, (2, 4, 4, 3), True, False)]
    assert torch.equal(batch, to_batch(pictures))
