"""The relevance of many images: that of each one, whole after any kill, and only once."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from kills import kill_at_random
from poison import poisoned
from safetensors import safe_open

import emorank
from emorank.errors import ImageError, PlanError
from emorank.networks.vgg import alexnet
from emorank.relevance import Difference
from emorank.scale import explain_many as explain_many_module
from emorank.scale.asked_relevance import AnyNetwork, ask_relevance_of_network
from emorank.scale.explain_many import explain_many
from emorank.scale.given_images import picture_of
from emorank.scale.run_folder import RunFolder
from emorank.seals import is_damaged
from emorank.study.explained_faces import Rules


def whole(folder, out, **options):
    """A run in this process."""
    return explain_many(folder, out, workers=0, **options)


def arrays(folder, name):
    """An array of all rows, as their table says where they are."""
    found = []
    for row in pd.read_parquet(folder / "ranks").itertuples():
        with safe_open(folder / "maps" / row.maps, "numpy") as file:
            found.append(file.get_slice(name)[row.map])
    return np.stack(found)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A checkpoint of a narrow AlexNet with three classes."""
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("weights") / "mine.pth"
    torch.save(alexnet(3, 12, 8).state_dict(), path)
    return path


@pytest.fixture
def asked(monkeypatch):
    """Lets another function open the pictures of a run."""

    def change(opened):
        def ask(*given, **named):
            return replace(ask_relevance_of_network(*given, **named), picture=opened)

        monkeypatch.setattr(explain_many_module, "ask_relevance_of_network", ask)

    return change


def test_each_face_has_the_relevance_that_it_has_alone(some, tmp_path):
    """In the order of the list; its table is that of `rank`, and more."""
    folder, out = some(6), tmp_path / "maps"
    outcome = whole(folder, out)
    assert (outcome.ranks, outcome.maps) == (out / "ranks", out / "maps")
    assert outcome.counts.faces == 6
    assert not any(map(is_damaged, outcome.maps.iterdir()))
    faces = list(emorank.read(folder))
    table = pd.read_parquet(out / "ranks")
    assert table["image"].to_list() == [face.row["image"] for face in faces]
    scores = [face.row["score"] for face in faces]
    np.testing.assert_allclose(table["score"].astype(float), scores, atol=1e-4)
    np.testing.assert_array_equal(arrays(out, "pixels"), [face.pixels for face in faces])
    relevance = arrays(out, "relevance")
    assert relevance.dtype == np.float32
    np.testing.assert_allclose(relevance, [face.heatmap for face in faces], atol=1e-6)
    whole(folder, tmp_path / "half", half=True)
    half = arrays(tmp_path / "half", "relevance")
    assert half.dtype == np.float16
    np.testing.assert_array_equal(half, relevance.astype(np.float16))


def test_only_what_has_changed_is_explained_again(some, tmp_path, weights, asked):
    """An image, or a file of maps that is gone; the others stay as they were, byte for byte."""
    folder, out = some(35), tmp_path / "maps"
    run = partial(whole, folder, network=AnyNetwork(weights, size=64))
    run(out)
    before, first = (
        arrays(out, "epsilon-gamma-box"),
        (out / "maps" / "000000.safetensors").read_bytes(),
    )
    opened = []
    asked(lambda item: opened.append(Path(item.name).name) or picture_of(item))
    run(out)
    assert opened == []
    changed, other, *_ = sorted(folder.iterdir(), reverse=True)
    shutil.copy(other, changed)
    os.utime(changed, (1, 1))
    run(out)
    assert opened == [changed.name]
    after = arrays(out, "epsilon-gamma-box")
    np.testing.assert_array_equal(after[:-1], before[:-1])
    np.testing.assert_allclose(after[-1], after[-2], atol=1e-6)
    (out / "maps" / "000000.safetensors").unlink()
    run(out)
    assert len(opened) == 1 + 32
    assert (out / "maps" / "000000.safetensors").read_bytes() == first


def test_maps_that_were_damaged_on_the_way_are_made_again(some, tmp_path, weights, asked):
    """With those that were not made yet, and no others."""
    out = tmp_path / "maps"
    run = partial(whole, some(32), network=AnyNetwork(weights, size=64))
    opened = []

    def stop(item):
        opened.append(item)
        if len(opened) == 30:
            raise KeyboardInterrupt
        return picture_of(item)

    asked(stop)
    with pytest.raises(KeyboardInterrupt):
        run(out)
    unfinished = RunFolder(out).unfinished(0, ".maps")
    with unfinished.open("r+b") as file:
        file.seek(100)
        byte = file.read(1)
        file.seek(100)
        file.write(bytes([byte[0] ^ 1]))
    kept = RunFolder(out).unfinished(0, ".jsonl").read_bytes().count(b"\n") - 1
    assert kept > 10
    run(out)
    assert len(opened) == 30 + 32 - kept + 1
    assert not unfinished.exists()
    asked(picture_of)
    run(tmp_path / "other")
    for name in ("epsilon-gamma-box", "pixels", "logits"):
        np.testing.assert_allclose(arrays(out, name), arrays(tmp_path / "other", name), atol=1e-6)


@pytest.mark.slow
def test_killed_at_random_the_maps_are_those_of_a_run_that_nobody_stopped(some, tmp_path, weights):
    """Workers and the program, with SIGKILL."""
    folder, out = some(70), tmp_path / "maps"
    outcome = whole(folder, tmp_path / "whole", network=AnyNetwork(weights, size=96))
    command = [sys.executable, "-m", "emorank", "explain", folder, "--save", out, "--workers", "1"]
    command += ["--weights", weights, "--size", "96"]
    kill_at_random(command, RunFolder(out), kills=2)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == [
        f"70 explanations: {out / 'ranks'}",
        f"their relevance: {out / 'maps'}",
    ]
    pd.testing.assert_frame_equal(
        pd.read_parquet(out / "ranks"), pd.read_parquet(outcome.ranks), atol=1e-6
    )
    for name in ("epsilon-gamma-box", "pixels"):
        np.testing.assert_allclose(arrays(out, name), arrays(tmp_path / "whole", name), atol=1e-6)


@pytest.mark.slow
def test_a_picture_that_kills_costs_itself(some, tmp_path, weights, asked):
    """As in a run of ranks; also one without a face, and one that is no picture."""
    folder = some(4)
    shutil.copy(min(folder.iterdir()), folder / "p01_segfault.jpg")
    (folder / "grey.ppm").write_bytes(b"P5 64 64 255\n" + b"\x80" * 4096)
    asked(poisoned)
    network = AnyNetwork(weights, size=64)
    outcome = explain_many(folder, tmp_path / "maps", network=network, crop="face", workers=1)
    excluded = pd.read_parquet(outcome.excluded).set_index("image")["reason"]
    assert excluded.to_dict() == {
        str(folder / "grey.ppm"): "no face was found",
        str(folder / "p01_segfault.jpg"): "crashed the process that read it (SIGSEGV)",
    }
    assert len(arrays(tmp_path / "maps", "epsilon-gamma-box")) == 4


def test_any_network_has_a_map_for_each_preset_layer_and_class(some, weights, tmp_path):
    """As `explain_images` gives them; a class held against itself is a reason."""
    folder = some(6)
    own = AnyNetwork(weights, ["epsilon", "epsilon-plus"], at=["features.0"], size=96)
    network = emorank.load_network(weights)
    paths = sorted(folder.iterdir())
    for each, explained in ((False, 6), (True, 18)):
        out = tmp_path / f"{each}"
        outcome = whole(folder, out, network=replace(own, each=each))
        assert outcome.counts.faces == explained
        stream = emorank.explain_images(
            network, paths, own.presets, each=each, at=own.at, size=own.size
        )
        expected = list(stream)
        table = pd.read_parquet(out / "ranks")
        assert table["target"].to_list() == [one.target for one in expected]
        assert table["reads"].to_list() == [expected[0].reads] * explained
        for name in own.presets:
            maps = [one.maps[name] for one in expected]
            np.testing.assert_allclose(arrays(out, name), maps, atol=1e-5)
            deep = [one.at[name]["features.0"] for one in expected]  # noqa: PD008 - no table
            np.testing.assert_allclose(arrays(out, f"{name}@features.0"), deep, atol=1e-5)
        logits = [one.logits for one in expected]
        np.testing.assert_allclose(arrays(out, "logits"), logits, atol=1e-5)
    predicted = table["predicted"].iloc[::3].to_list()
    against = max(set(predicted), key=predicted.count)
    held = replace(own, target=Difference(None, against), at=())
    outcome = whole(folder, tmp_path / "held", network=held)
    assert outcome.counts.faces == 6 - predicted.count(against)
    (reason,) = outcome.counts.reasons
    assert "predicted is the class that it was to be held against" in reason
    if outcome.counts.faces:
        assert not pd.read_parquet(outcome.ranks)["difference"].isna().any()
    with pytest.raises(ImageError, match="held against"):
        whole(folder, tmp_path / "strict", network=held, strict=True)
    assert not (tmp_path / "strict").exists()


def test_relevance_that_16_bits_do_not_hold_is_said(some, tmp_path):
    """The image is excluded with that reason; in 32 bits it is there."""
    state = alexnet(3, 12, 8).state_dict()
    torch.save({name: values * 40 for name, values in state.items()}, tmp_path / "large.pth")
    run = partial(whole, some(1), network=AnyNetwork(tmp_path / "large.pth", size=96))
    assert run(tmp_path / "maps").counts.faces == 1
    (reason,) = run(tmp_path / "half", half=True).counts.reasons
    assert reason.endswith("is more than 16 bits hold (65504); leave out --half")


def test_what_does_not_go_together_is_refused(some, weights, tmp_path):
    """Before anything is written."""
    folder = some(1)
    for words, options in {
        "expected a folder's name": {"out": tmp_path / "maps.npz"},
        "no rank that is explained": {"rank": "evidence"},
        "the ordinal rank is that of a study": {"rank": "ordinal"},
        "has no study, rank or rules": {"network": weights, "rules": Rules("epsilon")},
    }.items():
        with pytest.raises(PlanError, match=words):
            whole(folder, **{"out": tmp_path / "maps", **options})
    assert not (tmp_path / "maps").exists()
