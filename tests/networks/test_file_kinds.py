"""Files that are no weights, or hold them in another way: each has a sentence with the way out."""

import argparse
import gzip
import io
import json
import pickle  # noqa: TID251 - writes what has to be refused
import struct
import tarfile
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from emorank.errors import WeightsError
from emorank.networks import checkpoint, state_file
from emorank.networks.checkpoint import Checkpoint
from emorank.networks.network import load_network
from emorank.networks.normalisation import IMAGENET
from emorank.networks.vgg import alexnet
from emorank.vocabulary import Emotion

SAVE = r"torch\.save\(net\.state_dict\(\), \"mine\.pth\"\)"
PYTORCHS_OWN = (
    "weights_only",
    "set_default",
    "unpickl",
    "Traceback",
    "WeightsUnpickler",
    "torch.load(",
)


@pytest.fixture(scope="module")
def state():
    """A narrow AlexNet of three classes; not to be changed."""
    torch.manual_seed(0)
    return alexnet(3, 12, 8).state_dict()


class Net(torch.nn.Module):
    """What a training script saves whole."""

    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(x)


def saved(content, **how):
    buffer = io.BytesIO()
    torch.save(content, buffer, **how)
    return buffer.getvalue()


def zipped(files, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def packed_again(state):
    with zipfile.ZipFile(io.BytesIO(saved(state))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    return zipped(files, zipfile.ZIP_DEFLATED)


def npz():
    buffer = io.BytesIO()
    np.savez(buffer, a=np.zeros(3))
    return buffer.getvalue()


def npy():
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


def torchscript():
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(Net()), buffer)
    return buffer.getvalue()


def tar():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("weights.pth")
        member.size = 3
        archive.addfile(member, io.BytesIO(b"abc"))
    return buffer.getvalue()


def quantised():
    return torch.quantize_per_tensor(torch.zeros(4, 4), 0.1, 0, torch.qint8)


HEADER = json.dumps({"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 36]}}).encode()
NAMESPACE = argparse.Namespace(lr=1)

# By the file's name: its content, from the state dict of a net, and what is said of it.
FILES = {
    "empty.pth": (lambda _: b"", "it is empty, 0 bytes"),
    "pointer.pth": (
        lambda _: b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 9\n",
        "a Git-LFS pointer.*`git lfs pull`",
    ),
    "pointer.safetensors": (lambda _: b"version https://git-lfs.github.com/spec/v1\n", "Git-LFS"),
    "page.pth": (lambda _: b"\n<!DOCTYPE html><html>Sign in</html>", "a web page.*download again"),
    "page.safetensors": (lambda _: b"<html lang=en>404</html>", "a web page"),
    "denied.pt": (lambda _: b'<?xml version="1.0"?><Error>AccessDenied</Error>', "a web page"),
    "keras.h5": (
        lambda _: b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file.*tf2onnx.*--keras mine.h5",
    ),
    "keras.pth": (lambda _: b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file"),
    "model.keras": (
        lambda _: zipped({"config.json": b"{}", "model.weights.h5": b"x"}),
        "a Keras or TensorFlow.*--saved-model FOLDER",
    ),
    "net.onnx": (lambda _: b"\x08\x07\x12\x07pytorch\x00\x01", "no ONNX file: it cannot be parsed"),
    "net.bin": (lambda _: b"\x08\x07\x12\x07pytorch", "no ONNX file: it has no operators"),
    "net.xml": (lambda _: b'<?xml version="1.0"?>\n<net name="a" version="11">', "an OpenVINO"),
    "model.ckpt.index": (lambda _: bytes(64), "a TensorFlow checkpoint"),
    "model.ckpt.data-00000-of-00001": (lambda _: bytes(64), "a TensorFlow checkpoint"),
    "saved_model.pb": (lambda _: b"\x08\x01\x12\xff\x00", "a TensorFlow graph"),
    "net.tflite": (lambda _: b"\x1c\0\0\0TFL3" + bytes(32), "TensorFlow Lite.*--tflite net.tflite"),
    "arrays.npz": (lambda _: npz(), r"NumPy arrays \(\.npz\)"),
    "array.npy": (lambda _: npy(), r"a NumPy array \(\.npy\)"),
    "other.zip": (lambda _: zipped({"a/readme.txt": b"hello"}), "a zip archive of a/readme.txt"),
    "weights.pth.gz": (lambda state: gzip.compress(saved(state)), "compressed by gzip; unpack it"),
    "weights.tar": (lambda _: tar(), "a tar archive; unpack it"),
    "again.pth": (packed_again, "packed again"),
    "index.json": (lambda _: b'{"weight_map": {}}', "JSON, which has no weights"),
    "notes.pth": (lambda _: b"these are my weights", "text, not weights"),
    "noise.pth": (lambda _: bytes(range(7, 250)) * 9, "no weights file"),
    "script.pt": (lambda _: torchscript(), r"TorchScript.*torch\.onnx\.export\(net"),
    "whole.pth": (lambda _: saved(Net()), rf"holds a whole model \(.*Net.*\).*{SAVE}"),
    "whole_old.pth": (
        lambda _: saved(Net(), _use_new_zipfile_serialization=False), f"a whole model.*{SAVE}",
    ),
    "beside.pth": (
        lambda state: saved({"state_dict": state, "args": NAMESPACE}),
        rf"objects beside the weights \(argparse\.Namespace\).*{SAVE}",
    ),
    "bare.pkl": (
        lambda _: pickle.dumps({"a": NAMESPACE}, 4), r"objects beside the weights \(argparse\.Name",
    ),
    "arrays.pkl": (lambda _: pickle.dumps({"a": np.zeros(2)}, 2), "objects beside the weights"),
    "cut.pth": (lambda state: saved(state)[:-500], "truncated, damaged.*copy it again"),
    "cut_old.pth": (
        lambda state: saved(state, _use_new_zipfile_serialization=False)[:-500], "truncated, dam",
    ),
    "cut.safetensors": (
        lambda _: struct.pack("<Q", len(HEADER)) + HEADER + bytes(20), "not as its header says",
    ),
    "long.safetensors": (lambda _: struct.pack("<Q", 2**62) + b"{" + bytes(99), "its header is"),
    "huge.safetensors": (
        lambda _: struct.pack("<Q", 90_000_000) + HEADER, "its header needs 90,000,008 bytes and",
    ),
    "short.safetensors": (lambda _: b"\x01", "less than the header"),
    "list.pth": (lambda state: saved(list(state.values())), f"something else: a list.*{SAVE}"),
    "tensor.pth": (lambda _: saved(torch.zeros(3)), "something else: a single tensor"),
    "optimiser.pth": (
        lambda _: saved({"optimizer": {"state": {}}, "epoch": 3}), "with the keys optimizer, epoch",
    ),
    "several.pth": (
        lambda state: saved({"generator": state, "critic": state}),
        "several under keys of which none is usual: generator, critic",
    ),
    "shared.pth": (
        lambda _: saved(dict.fromkeys(map(str, range(500)), torch.zeros(10_000))), "more than it",
    ),
    "quantised.pth": (
        lambda state: saved(state | {"features.0.weight": quantised()}), r"kind at.*quantised",
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", FILES)
def test_it_is_named_with_the_way_out(name, state, tmp_path):
    """By the file's name; nothing of PyTorch's own words."""
    make, said = FILES[name]
    path = tmp_path / name
    path.write_bytes(make(state))
    with pytest.raises(WeightsError, match=rf"(?s){name}: .*{said}") as caught:
        load_network(path)
    assert not [words for words in PYTORCHS_OWN if words in str(caught.value)]


def test_a_folder_and_nothing_are_named(tmp_path):
    """What is no file at all."""
    with pytest.raises(WeightsError, match="a folder; give the file"):
        load_network(tmp_path)
    with pytest.raises(WeightsError, match="no such weights file"):
        load_network(tmp_path / "absent.pth")


def prefixed(prefix, state):
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


OPTIMISER = {
    "state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.zeros(2, 2)}},
    "param_groups": [],
}

# Where the state dict lies, and what is said of it.
PLACES = {
    "net": (lambda s: {"net": s, "acc": 91.2, "epoch": 7}, ["read from its key 'net'"]),
    "weights": (lambda s: {"weights": s}, ["read from its key 'weights'"]),
    "ema only": (lambda s: {"state_dict_ema": s}, ["read from its key 'state_dict_ema'"]),
    "ema too": (
        lambda s: {"state_dict_ema": {k: v + 1 for k, v in s.items()}, "state_dict": s},
        ["read from its key 'state_dict'; also there: state_dict_ema"],
    ),
    "nested twice": (
        lambda s: {"checkpoint": {"model": {"state_dict": s}}},
        ["read from its key 'checkpoint.model.state_dict'"],
    ),
    "optimiser": (
        lambda s: {"model": s, "optimizer": OPTIMISER, "lr_scheduler": {"last": 3}},
        ["read from its key 'model'"],
    ),
    "numbers beside": (lambda s: s | {"epoch": 3, "best": "yes"}, ["no tensor: epoch, best"]),
    "backbone": (lambda s: prefixed("backbone.", s), ["the prefix 'backbone.' of its names"]),
    "two wrappers": (
        lambda s: {"model": prefixed("module._orig_mod.", s)}, ["'model'", "'module._orig_mod.'"],
    ),
    "a part in a backbone": (
        lambda s: {k if k.startswith("classifier") else f"net.{k}": v for k, v in s.items()},
        ["the prefix 'net.' of its names"],
    ),
    "averaged": (
        lambda s: prefixed("module.", s) | {"n_averaged": torch.tensor(4)}, ["prefix 'module.'"],
    ),
    "half": (lambda s: {k: v.half() for k, v in s.items()}, ["float16", "as float32"]),
    "bfloat16": (lambda s: {k: v.bfloat16() for k, v in s.items()}, ["bfloat16"]),
    "double": (lambda s: {k: v.double() for k, v in s.items()}, ["float64"]),
    "older format": (lambda s: {"state_dict": s}, ["read from its key 'state_dict'"]),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_it_is_found_and_said_where(place, state, tmp_path):
    """The weights are the net's own, and the notes say what was chosen."""
    make, said = PLACES[place]
    older = place == "older format"
    (tmp_path / "net.pth").write_bytes(saved(make(state), _use_new_zipfile_serialization=not older))
    network = load_network(tmp_path / "net.pth")
    assert network.architecture == "alexnet"
    found, exact = network.net.state_dict(), "half" not in place and "bfloat" not in place
    for name, tensor in state.items():
        close = 0.0 if exact else 1e-2
        torch.testing.assert_close(found[name], tensor, rtol=close, atol=close)
    for words in said:
        assert words in " ".join(network.notes)


def test_a_model_of_a_study_is_told_by_its_content(net, tmp_path):
    """Under any name it brings its classes."""
    classes = (Emotion.ANGER, Emotion.HAPPY, Emotion.NEUTRAL)
    checkpoint.save(Checkpoint(net, classes, 64, "face"), tmp_path / "model.bin")
    assert load_network(tmp_path / "model.bin").labels == ("Anger", "Happy", "Neutral")


def test_plain_weights_need_no_words(state, tmp_path):
    """Nothing was chosen, and it was said how images are read: as torchvision's, or else."""
    (tmp_path / "net.pth").write_bytes(saved(state))
    assert [
        note for note in load_network(tmp_path / "net.pth").notes if "assumed" not in note
    ] == []
    network = load_network(tmp_path / "net.pth", normalisation=IMAGENET, bgr=True)
    assert network.notes == ()


def test_content_counts_and_not_the_ending(state, tmp_path):
    """Safetensors under another name, PyTorch's under theirs."""
    save_file(state, tmp_path / "net.pth")
    assert load_network(tmp_path / "net.pth").architecture == "alexnet"
    (tmp_path / "net.safetensors").write_bytes(saved(state))
    assert load_network(tmp_path / "net.safetensors").architecture == "alexnet"


def test_the_file_may_change_when_it_was_read(state, tmp_path):
    """The network holds its weights in memory and not in the file."""
    (tmp_path / "net.pth").write_bytes(saved(state))
    found = state_file.read_state(tmp_path / "net.pth").tensors
    with (tmp_path / "net.pth").open("r+b") as file:
        file.write(bytes(2_000_000))
    for name, tensor in state.items():
        torch.testing.assert_close(found[name], tensor, rtol=0, atol=0)


def test_missing_and_further_keys_are_told(state, tmp_path):
    """What differs from the nearest network, how many keys there are and the first of them."""
    other = {k: v for k, v in state.items() if k != "classifier.6.bias"} | {
        "fc.bias": torch.ones(3)
    }
    (tmp_path / "net.pth").write_bytes(saved({"net": prefixed("module.", other)}))
    said = (
        r"nearest is alexnet, but classifier\.6\.bias is missing; fc\.bias is unexpected\. "
        r"Its 16 keys begin with features\.0\.weight"
    )
    with pytest.raises(WeightsError, match=said):
        load_network(tmp_path / "net.pth")


@pytest.mark.parametrize("form", ["zip", "older", "safetensors"])
def test_damaged_bytes_end_in_one_sentence(form, tmp_path):
    """Cut or changed anywhere: the weights are read, or the file is refused in our words."""
    random = np.random.default_rng(5)
    small = {f"features.{k}.weight": torch.full((4, 3), float(k)) for k in range(4)}
    path = tmp_path / "net.bin"
    if form == "safetensors":
        save_file(small, path)
    else:
        path.write_bytes(saved(small, _use_new_zipfile_serialization=form == "zip"))
    whole, said = path.read_bytes(), []
    for number in range(120):
        data = bytearray(whole[: random.integers(len(whole))] if number % 3 == 0 else whole)
        for place in random.integers(0, max(len(data), 1), number % 7):
            data[place : place + 1] = bytes([random.integers(256)])
        path.write_bytes(data)
        try:
            found = state_file.read_state(path).tensors
        except WeightsError as error:
            said.append(str(error))
            continue
        if form == "zip":  # has checksums
            torch.testing.assert_close(found, small, rtol=0, atol=0)
    assert 40 <= len(said) < 120
    assert all(words.startswith(f"{path}: ") for words in said)
    assert not [words for words in PYTORCHS_OWN if words in "".join(said)]
