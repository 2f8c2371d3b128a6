"""Bad input to a study: a clear message, a non-zero exit status, nothing half-written."""

import os
import shutil
import threading

import pandas as pd
import pytest

from emorank.study.folder import create_study, open_study
from emorank.study.stages.prepare import prepare


def leftovers(folder):
    """Half-written files."""
    return [path for path in folder.rglob(".*") if path.name.endswith(".partial")]


def test_no_such_folder(cli, tmp_path):
    """The folder is named, and no study is begun."""
    done = cli("run", "--data", tmp_path / "absent", "--out", tmp_path / "out")
    assert "absent: no such folder" in done.failure
    assert not (tmp_path / "out").exists()


def test_an_empty_folder(cli, tmp_path):
    """The message says which layouts are known."""
    (tmp_path / "empty").mkdir()
    done = cli("run", "--data", tmp_path / "empty", "--out", tmp_path / "out")
    assert "an empty folder" in done.failure
    assert "a folder per emotion" in done.failure
    assert not (tmp_path / "out").exists()


def test_no_folder_at_all(cli, tmp_path):
    """Without a plan and --data there is nothing to do."""
    assert "--data PATH" in cli("run", "--out", tmp_path / "out").failure
    assert not (tmp_path / "out").exists()


def test_one_class_only(cli, own_drawn, tmp_path, settings):
    """Two expressed emotions are the least that can be told apart."""
    for emotion in ("anger", "surprise"):
        shutil.rmtree(own_drawn / emotion)
    done = cli("run", "--data", own_drawn, "--out", tmp_path / "out", *settings())
    assert "at least two expressed emotions" in done.failure
    assert "happy" in done.failure
    assert not (tmp_path / "out/faces.parquet").exists()
    assert leftovers(tmp_path) == []


def test_one_person_only(cli, own_drawn, tmp_path, settings):
    """A split by person needs three; the message says so and names the other split."""
    for path in own_drawn.glob("*/*.png"):
        if path.stem != "p3":
            path.unlink()
    done = cli("run", "--data", own_drawn, "--out", tmp_path / "out", *settings())
    assert "at least 3 persons" in done.failure
    assert "random" in done.failure
    assert not (tmp_path / "out/faces.parquet").exists()
    assert leftovers(tmp_path) == []


def test_a_split_by_image_is_the_way_out_that_was_named(cli, own_drawn, tmp_path, settings):
    """After the message, `split.by=random` works on the same few images and the same folder."""
    for path in own_drawn.glob("*/*.png"):
        if path.stem not in {"p1", "p2"}:
            path.unlink()
    command = ["prepare", "--data", own_drawn, "--out", tmp_path / "out", *settings()]
    assert "at least 3 persons" in cli(*command).failure
    done = cli(*command, "--set=split.by=random")
    assert done.code == 0, done.err
    assert len(open_study(tmp_path / "out").table("split")) == 6


@pytest.mark.parametrize("strict", ["false", "true"])
def test_threads_change_nothing(cli, own_drawn, tmp_path, settings, monkeypatch, strict):
    """Faces, exclusions and the first error are those of one thread."""
    os.truncate(own_drawn / "happy/p4.png", 300)
    (own_drawn / "anger/p2.png").write_bytes(b"")
    for threads in ("1", "2"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        done = cli(
            *("prepare", "--data", own_drawn, "--out", tmp_path / threads, *settings()),
            f"--set=data.strict={strict}",
        )
        if strict == "true":
            assert "anger/p2.png: is empty" in done.failure
    studies = [tmp_path / threads for threads in ("1", "2")]
    for name in () if strict == "true" else ("faces", "excluded", "split"):
        one, two = (open_study(study).table(name) for study in studies)
        pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_a_stop_leaves_no_thread(own_drawn, tmp_path, quick, monkeypatch):
    """Also while its error is looked at, which holds on to all that was at work."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")

    def stop(done, total, note=""):
        raise KeyboardInterrupt

    study = create_study(tmp_path / "study", quick(data=own_drawn))
    with pytest.raises(KeyboardInterrupt) as stopped:
        prepare(study, stop)
    assert stopped.value.__traceback__
    assert not [one.name for one in threading.enumerate() if one.name.startswith("ahead")]


def test_a_corrupted_image_among_good_ones(cli, own_drawn, tmp_path, settings):
    """It becomes a row of the exclusions with its reason; the others are used."""
    os.truncate(own_drawn / "happy/p4.png", 300)
    (own_drawn / "anger/p2.png").write_bytes(b"")
    done = cli("prepare", "--data", own_drawn, "--out", tmp_path / "out", *settings())
    assert done.code == 0, done.err
    assert "22 faces" in done.err
    assert "2 exclusions" in done.err
    study = open_study(tmp_path / "out")
    excluded = study.table("excluded").set_index("file")["reason"]
    assert set(excluded.index) == {"happy/p4.png", "anger/p2.png"}
    assert (excluded.str.len() > 5).all()
    assert len(study.table("faces")) == 22


def test_strict_stops_at_the_first_corrupted_image(cli, own_drawn, tmp_path, settings):
    """The message names the file; once it is mended the same command goes on."""
    whole = (own_drawn / "happy/p4.png").read_bytes()
    os.truncate(own_drawn / "happy/p4.png", 300)
    command = ["prepare", "--data", own_drawn, "--out", tmp_path / "out", "--strict", *settings()]
    assert "happy/p4.png" in cli(*command).failure
    assert not (tmp_path / "out/faces.parquet").exists()
    (own_drawn / "happy/p4.png").write_bytes(whole)
    done = cli(*command)
    assert done.code == 0, done.err
    assert len(open_study(tmp_path / "out").table("faces")) == 24


def test_nothing_but_corrupted_images(cli, own_drawn, tmp_path, settings):
    """The first reason is told."""
    for path in own_drawn.glob("*/*.png"):
        os.truncate(path, 100)
    done = cli("run", "--data", own_drawn, "--out", tmp_path / "out", *settings())
    assert "none of 24 images can be used" in done.failure


@pytest.mark.weights
def test_an_image_that_vanished_after_it_was_prepared(cli, own_drawn, tmp_path, settings):
    """It is named before anything is done; what was done before stays."""
    folder = tmp_path / "out"
    command = ["--data", own_drawn, "--out", folder, *settings()]
    assert cli("prepare", *command).code == 0
    split = open_study(folder).table("split").set_index("part")["image"]
    image = split["test"].iloc[-1]
    (own_drawn / image).rename(tmp_path / "elsewhere.png")
    done = cli("run", *command)
    assert f"1 gone ({image})" in done.failure
    assert not (folder / "model.safetensors").exists()
    (tmp_path / "elsewhere.png").rename(own_drawn / image)
    assert cli("run", *command).code == 0
    predictions = open_study(folder).table("predictions")
    (own_drawn / image).unlink()
    assert f"1 gone ({image})" in cli("test", "--study", folder).failure
    assert open_study(folder).table("predictions").equals(predictions)


@pytest.mark.weights
@pytest.mark.parametrize(
    ("line", "says", "where"),
    [
        ("happy/p1.png,r9,Huge", "unknown answer", "line 74"),
        ("happy/p99.png,r9,Strong", "unknown image", "'happy/p99.png'"),
        ("happy/p1.png,r0,Strong", "second answer of a rater to an image", "line 74"),
    ],
)
def test_votes_that_are_not_valid(cli, own_study, votes, tmp_path, line, says, where):
    """The line or image is named, no vote is taken, and the votes that the study has stay."""
    bad = tmp_path / "bad.csv"
    bad.write_text(votes.read_text() + line + "\n")
    done = cli("validate", "--study", own_study.folder, "--votes", bad)
    assert says in done.failure
    assert where in done.failure
    assert len(own_study.table("votes")) == 72
    assert leftovers(own_study.folder) == []
    assert cli("validate", "--study", own_study.folder, "--votes", votes).code == 0
    assert len(own_study.table("votes")) == 72


def test_votes_that_are_not_there_are_missed_at_once(cli, drawn, tmp_path, settings):
    """Before a long training, not after it."""
    command = ["run", "--data", drawn, "--out", tmp_path / "out", *settings()]
    assert "nowhere.csv" in cli(*command, "--votes", tmp_path / "nowhere.csv").failure
    assert not (tmp_path / "out").exists()


@pytest.mark.weights
def test_truncated_weights(cli, drawn, tmp_path, settings):
    """A user's file cut short: the file is named and no model is written."""
    from emorank.networks import weights

    mine = tmp_path / "mine.safetensors"
    shutil.copy(weights.imagenet_path(), mine)
    os.truncate(mine, 1_000_000)
    folder = tmp_path / "out"
    done = cli("run", "--data", drawn, "--out", folder, *settings({"model.weights": str(mine)}))
    assert "mine.safetensors: truncated" in done.failure
    assert not (folder / "model.safetensors").exists()
    assert leftovers(folder) == []


@pytest.mark.weights
def test_a_truncated_model(cli, own_study, drawn):
    """The trained model cut short: ranking new images says to train again."""
    os.truncate(own_study.path("model.safetensors"), 5_000_000)
    done = cli("rank", drawn / "happy/p0.png", "--study", own_study.folder)
    assert "model.safetensors: truncated or damaged" in done.failure
    assert "train again" in done.failure


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("train.epoch=3", "has no key 'epoch'; did you mean 'epochs'"),
        ("train.epochs=many", "expected a whole number"),
        ("train.epochs", "expected KEY=VALUE"),
        ("data.dataset=cats", "'cats' is not the name of a data set"),
        ("data.options.angle=HL", "has no option angle"),
    ],
)
def test_settings_that_no_plan_has(cli, drawn, tmp_path, setting, says):
    """Refused before anything is done."""
    done = cli("prepare", "--data", drawn, "--out", tmp_path / "out", "--set", setting)
    assert says in done.failure
    assert not (tmp_path / "out/faces.parquet").exists()


@pytest.mark.weights
def test_an_unknown_preset(cli, own_study):
    """The message names those that there are."""
    done = cli("explain", "--study", own_study.folder, "--preset", "rainbow")
    assert "rainbow" in done.failure
    assert "epsilon-gamma-box" in done.failure


def test_a_folder_that_is_no_study(cli, tmp_path):
    """Every verb that needs a study says how to make one."""
    for verb in ("train", "test", "explain", "rank", "validate", "report"):
        assert "no study here" in cli(verb, "--study", tmp_path).failure


def test_a_folder_with_other_things_in_it(cli, drawn, tmp_path):
    """The images themselves as --out, for instance: refused, and nothing is written there."""
    before = sorted(drawn.iterdir())
    done = cli("run", "--data", drawn, "--out", drawn)
    assert "not empty and holds no study" in done.failure
    assert sorted(drawn.iterdir()) == before
