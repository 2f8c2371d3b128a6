"""Anybody's checkpoint: read from either format, with what it says of itself."""

import json
import os
import pickle  # noqa: TID251 - writes what has to be refused
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from emorank.errors import PlanError, WeightsError
from emorank.networks import checkpoint
from emorank.networks.checkpoint import FORMAT, Checkpoint
from emorank.networks.network import load_network
from emorank.networks.vgg import alexnet
from emorank.vocabulary import Emotion


@pytest.fixture(scope="module")
def state():
    """A narrow AlexNet of three classes; not to be changed."""
    torch.manual_seed(0)
    return alexnet(3, 12, 8).state_dict()


@pytest.fixture
def saved(state, tmp_path):
    torch.save(state, tmp_path / "net.pth")
    return tmp_path / "net.pth"


WRAPPERS = {
    "bare": lambda state: state,
    "parallel": lambda state: {"state_dict": {f"module.{k}": v for k, v in state.items()}},
    "tutorial": lambda state: {"epoch": 3, "model_state_dict": state, "loss": 0.5},
    "reference": lambda state: {"model": state, "optimizer": {"state": {}}, "epoch": 9},
    "compiled": lambda state: {f"module._orig_mod.{k}": v for k, v in state.items()},
    "lightning": lambda state: {"state_dict": {f"model.{k}": v for k, v in state.items()}},
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_what_training_scripts_write_is_read(wrapper, state, tmp_path):
    """The state dict beside other things, and names behind the prefix of a wrapper."""
    torch.save(WRAPPERS[wrapper](state), tmp_path / "net.pth")
    network = load_network(tmp_path / "net.pth")
    assert (network.architecture, network.classes, network.labels) == ("alexnet", 3, None)
    assert (network.size, network.crop) == (224, "center")
    found = network.net.state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())


def test_the_format_of_torchvisions_older_files_is_read(state, tmp_path):
    """vgg16-397923af.pth and its like are no zip archives."""
    torch.save(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert load_network(tmp_path / "old.pth").architecture == "alexnet"


def test_safetensors_are_read(state, tmp_path):
    """The same from safetensors, with a wrapper's prefix."""
    save_file({f"module.{k}": v for k, v in state.items()}, tmp_path / "net.safetensors")
    assert load_network(str(tmp_path / "net.safetensors")).architecture == "alexnet"


def test_a_model_of_a_study_brings_its_words(net, tmp_path):
    """Classes by name, size and framing from the header that emorank wrote."""
    classes = (Emotion.ANGER, Emotion.HAPPY, Emotion.NEUTRAL)
    checkpoint.save(Checkpoint(net, classes, 64, "face"), tmp_path / "model.safetensors")
    network = load_network(tmp_path / "model.safetensors")
    assert network.architecture == "vgg16"
    assert network.labels == ("Anger", "Happy", "Neutral")
    assert (network.size, network.crop) == (64, "face")
    images = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(network.net(images), net(images))


HEADER = {"classes": ["happy"] * 3, "hidden": 8, "size": 64, "crop": "none"}


@pytest.mark.parametrize(
    "words",
    [
        "no json",
        "[]",
        json.dumps(HEADER | {"size": 10**9}),
        json.dumps(HEADER | {"classes": ["bored"] * 3}),
        json.dumps(HEADER | {"classes": ["happy"]}),
    ],
)
def test_a_forged_header_is_refused(words, state, tmp_path):
    """Nonsense, a size of a billion pixels, an unknown emotion, too few classes."""
    path = tmp_path / "model.safetensors"
    save_file(state, path, {FORMAT: words})
    with pytest.raises(WeightsError, match=r"model\.safetensors: .*train again"):
        load_network(path)


def test_labels_name_the_classes(saved, tmp_path):
    """One a line, blank lines at the end left out; a class is found by index or by name."""
    (tmp_path / "labels.txt").write_text("cat\nDog \nbird, flying\n\n", encoding="utf-8")
    network = load_network(saved, tmp_path / "labels.txt")
    assert network.labels == ("cat", "Dog", "bird, flying")
    assert [network.index(word) for word in ("2", "dog", "Bird, flying")] == [2, 1, 2]


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"cat\ndog\n", "expected 3 labels.*found 2"), (b"\xff\xfe\x00", "expected labels as UTF-8"),
     (b"\n" * 10_000_001, "larger than")],
)  # fmt: skip
def test_wrong_labels_are_refused(content, says, saved, tmp_path):
    """Too few, no text, endless."""
    (tmp_path / "labels.txt").write_bytes(content)
    with pytest.raises(WeightsError, match=rf"labels\.txt: {says}"):
        load_network(saved, tmp_path / "labels.txt")
    with pytest.raises(WeightsError, match=r"absent\.txt: cannot be read"):
        load_network(saved, tmp_path / "absent.txt")


@pytest.mark.parametrize("word", ["3", "-1", "1.5", "horse", ""])
def test_a_class_that_is_not_there_is_refused(word, saved, tmp_path):
    """The message says what there is."""
    with pytest.raises(WeightsError, match="an index from 0 to 2; no labels are known"):
        load_network(saved).index(word)
    (tmp_path / "labels.txt").write_text("crane\ncrane\nhorse2\n", encoding="utf-8")
    named = load_network(saved, tmp_path / "labels.txt")
    with pytest.raises(WeightsError, match="from 0 to 2 or one of crane, crane, horse2"):
        named.index(word)
    with pytest.raises(WeightsError, match=r"'crane' names the classes \[0, 1\]"):
        named.index("crane")


def test_another_network_names_the_file(tmp_path):
    """The message begins with the file."""
    save_file({"weight": torch.zeros(2, 2)}, tmp_path / "mine.safetensors")
    with pytest.raises(WeightsError, match=r"mine\.safetensors: no network that is known here"):
        load_network(tmp_path / "mine.safetensors")


def test_a_device_that_is_not_there_is_an_error(saved):
    """Of torch's several kinds of exception, one of ours."""
    with pytest.raises(PlanError, match="cannot compute on 'abacus'"):
        load_network(saved).on("abacus")


class Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self):
        return os.mkdir, (str(self.proof),)


def test_a_checkpoint_cannot_run_code(state, tmp_path):
    """A command among the weights, or beside them, is refused and not run."""
    proof = tmp_path / "proof"
    for number, content in enumerate(
        (state | {"features.0.bias": Evil(proof)}, {"state_dict": state, "args": Evil(proof)})
    ):
        torch.save(content, tmp_path / f"evil{number}.pth")
        with pytest.raises(WeightsError, match=rf"evil{number}\.pth"):
            load_network(tmp_path / f"evil{number}.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Evil(proof), protocol=2))
    with pytest.raises(WeightsError, match=r"plain\.pth"):
        load_network(tmp_path / "plain.pth")
    assert not proof.exists()


@pytest.mark.parametrize(
    "tensor",
    [torch.zeros(1).expand(4096, 25088), torch.zeros(2, 2).to_sparse(),
     torch.empty(2, device="meta")],
    ids=["expanded", "sparse", "meta"],
)  # fmt: skip
def test_tensors_larger_than_the_file_are_refused(tensor, state, tmp_path):
    """Four bytes may not become gigabytes: every value has its place in the file."""
    torch.save(state | {"classifier.1.weight": tensor}, tmp_path / "thin.pth")
    with pytest.raises(
        WeightsError, match=r"expected dense tensors, found .*classifier\.1\.weight"
    ):
        load_network(tmp_path / "thin.pth")
