"""Many images: whole, stopped at any moment, killed by their own pictures."""

import logging
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import numpy as np
import pandas as pd
import pytest
from kills import kill_at_random
from PIL import Image
from poison import Deadly, poisoned

import emorank
from emorank.errors import EmorankError, ImageError, PlanError, StudyError
from emorank.scale import rank_many as rank_many_module
from emorank.scale import supervisor
from emorank.scale.asked_ranks import ask_ranks
from emorank.scale.attempts import ENOUGH, Attempts
from emorank.scale.given_images import picture_of
from emorank.scale.rank_many import rank_many
from emorank.scale.run_folder import RunFolder
from emorank.scale.shard import do_shard
from emorank.scale.supervisor import run_shards
from emorank.scale.task import load
from emorank.scale.work_list import shard_size, write_list
from emorank.scale.worker import Bounds


def _with_picture(opened):
    """The question, of pictures that are opened by a function."""
    return lambda *given, **named: replace(ask_ranks(*given, **named), picture=opened)


def whole(folder, out, **options):
    """A run in this process."""
    return rank_many(folder, out, workers=0, **options)


def test_parts_make_the_table_that_one_shard_would(some, tmp_path):
    """The order is the list's; CSV, Parquet and a folder hold the same; nothing else stays."""
    folder = some(40)
    outcome = whole(folder, tmp_path / "ranks.parquet")
    table = pd.read_parquet(outcome.ranks)
    assert table["image"].to_list() == sorted(str(path) for path in folder.iterdir())
    assert outcome.counts.faces == outcome.counts.ranked == outcome.counts.images == 40
    assert outcome.excluded is None
    whole(folder, tmp_path / "ranks.csv")
    csv = pd.read_csv(tmp_path / "ranks.csv", keep_default_na=False, na_values=[""])
    pd.testing.assert_frame_equal(csv, table, check_dtype=False)
    assert whole(folder, tmp_path / "parts").ranks == tmp_path / "parts" / "ranks"
    assert len(list((tmp_path / "parts" / "ranks").iterdir())) == 2
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "parts" / "ranks"), table)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"photographs", "ranks.parquet", "ranks.csv", "parts"}


def test_three_crops_are_averaged_there_too(some, tmp_path):
    """Rows are those of `read`."""
    folder = some(3)
    table = pd.read_parquet(whole(folder, tmp_path / "ranks.parquet", crops=3).ranks)
    for crops, same in ((3, True), (1, False)):
        rows = emorank.read(folder, crops=crops, heatmaps=False).to_frame()
        apart = np.abs(table["score"] - rows["score"].astype(float))
        assert apart.max() < 1e-3 if same else apart.min() > 1e-3


def test_shards_are_small_where_images_are_few():
    """Every worker has some; no shard has more than a thousand, and none less than 32."""
    assert [shard_size(n) for n in (1, 392, 5_000, 64_000, 10**7)] == [32, 32, 80, 1000, 1000]


def test_a_finished_run_is_not_done_again_but_images_that_changed_are(some, tmp_path, monkeypatch):
    """By size and time of the file; the others are not opened."""
    folder, out = some(35), tmp_path / "parts"
    whole(folder, out)
    before = pd.read_parquet(out / "ranks")
    opened = []

    def seen(item):
        opened.append(Path(item.name).name)
        return picture_of(item)

    monkeypatch.setattr(rank_many_module, "ask_ranks", _with_picture(seen))
    assert whole(folder, out).counts.images == 35
    assert opened == []
    changed, first, *_ = sorted(folder.iterdir(), reverse=True)
    shutil.copy(first, changed)
    os.utime(changed, (1, 1))
    whole(folder, out)
    assert opened == [changed.name]
    after = pd.read_parquet(out / "ranks")
    pd.testing.assert_frame_equal(after.iloc[:-1], before.iloc[:-1])
    assert after["logit"].iloc[-1] == pytest.approx(after["logit"].iloc[-2])


def test_what_another_command_left_is_refused(some, tmp_path):
    """Other options, other images, a folder of something else; and a table that is there."""
    folder, out = some(3), tmp_path / "parts"
    whole(folder, out)
    with pytest.raises(StudyError, match="is the result of a command with other options"):
        whole(folder, out, nearest=True)
    with pytest.raises(StudyError, match="is the result of a command with other options"):
        whole(folder, out, crops=3)
    with pytest.raises(StudyError, match="of other images"):
        whole([folder / "p01_anger_1.jpg"], out)
    assert whole(folder, out, nearest=True, overwrite=True).counts.faces == 3
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").touch()
    with pytest.raises(StudyError, match="holds other things"):
        whole(folder, mine, overwrite=True)
    (tmp_path / "ranks.csv.partial").write_text("of an earlier version")
    with pytest.raises(StudyError, match="unfinished result of a command with other options"):
        whole(folder, tmp_path / "ranks.csv")
    assert whole(folder, tmp_path / "ranks.csv", overwrite=True).counts.faces == 3
    with pytest.raises(StudyError, match="is there already"):
        whole(folder, tmp_path / "ranks.csv")


def test_what_is_excluded_is_a_table_and_counted(some, tmp_path):
    """Damaged, without a face, no picture at all; with the reason of each."""
    folder = some(2)
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "grey.ppm").write_bytes(b"P5 64 64 255\n" + b"\x80" * 4096)
    (folder / "notes.txt").write_text("words")
    for name in ("ranks.csv", "ranks.parquet", "parts"):
        outcome = whole(folder, tmp_path / name)
        read = pd.read_csv if name.endswith("csv") else pd.read_parquet
        table = read(outcome.excluded).set_index("image")["reason"]
        assert table[str(folder / "grey.ppm")] == "no face was found"
        assert "damaged" in table[str(folder / "broken.png")]
        assert table[str(folder / "notes.txt")] == "is a text file"
        counts = outcome.counts
        assert (counts.images, counts.ranked, counts.faceless) == (4, 2, 1)
        assert (counts.reasons.total(), counts.left_out, counts.excluded) == (1, 1, 2)
    assert outcome.excluded == tmp_path / "parts" / "excluded.parquet"
    assert (tmp_path / "ranks.excluded.csv").exists()
    with pytest.raises(ImageError, match="broken"):
        whole(folder, tmp_path / "strict.csv", strict=True)
    assert not list(tmp_path.glob("strict*"))


def test_tasks_of_a_cluster_share_a_folder(some, tmp_path):
    """Each does its shards, and the last one finishes the run."""
    folder, out = some(70), tmp_path / "parts"
    assert whole(folder, out, shard=(3, 3)).missing == 2
    assert whole(folder, out, shard=(1, 3)).missing == 1
    outcome = whole(folder, out, shard=(2, 3))
    assert outcome.counts.faces == 70
    assert len(pd.read_parquet(outcome.ranks)) == 70
    with pytest.raises(PlanError, match="expected I/N"):
        whole(folder, out, shard=(0, 3))
    with pytest.raises(PlanError, match="need a folder"):
        whole(folder, tmp_path / "ranks.csv", shard=(1, 3))


def test_two_processes_do_not_do_one_shard(some, tmp_path):
    """The second one waits for a while and then says so."""
    from filelock import FileLock

    folder = RunFolder(tmp_path / "parts")
    write_list(folder, "key", "", [some(2)])
    lock = folder.unfinished(0, ".lock")
    lock.parent.mkdir()
    with FileLock(lock), pytest.raises(StudyError, match="another process works on shard 0"):
        do_shard(load(ask_ranks()), folder, 0, patience=0.1)


@pytest.mark.slow
def test_killed_at_random_the_same_command_goes_on(some, tmp_path):
    """Workers and the program, with SIGKILL; the table is that of a run that nobody disturbed."""
    folder = some(100)
    whole(folder, tmp_path / "whole.parquet")
    out = tmp_path / "ranks.parquet"
    command = [sys.executable, "-m", "emorank", "rank", folder, "--out", out, "--workers", "2"]
    kill_at_random(command, RunFolder(tmp_path / "ranks.parquet.partial"), kills=2)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    pd.testing.assert_frame_equal(
        pd.read_parquet(out), pd.read_parquet(tmp_path / "whole.parquet"), check_exact=True
    )
    assert not out.with_name("ranks.excluded.parquet").exists()


@pytest.mark.slow
def test_pictures_that_kill_are_excluded_and_nothing_else_is_lost(
    some, tmp_path, monkeypatch, caplog
):
    """Each with its reason: a crash, a hang, hunger for memory, a kill, damage. The log has all."""
    caplog.set_level(logging.INFO, "emorank")
    folder = some(40)
    good = sorted(folder.iterdir())
    deaths = {
        "segfault": "crashed the process that read it (SIGSEGV)",
        "hang": "took more than 12 s",
        "memory": "needs more memory than there is",
        "killed": "the process that read it was killed 3 times (SIGKILL); perhaps it needs more "
        "memory than there is",
    }
    for name in deaths:
        shutil.copy(good[0], folder / f"p01_{name}.jpg")
    (folder / "p01_corrupt.jpg").write_bytes(good[0].read_bytes()[:300])
    monkeypatch.setattr(rank_many_module, "ask_ranks", _with_picture(poisoned))
    outcome = rank_many(folder, tmp_path / "ranks.parquet", workers=1, time_limit=12.0)
    excluded = pd.read_parquet(outcome.excluded)
    reasons = {Path(row.image).stem[4:]: row.reason for row in excluded.itertuples()}
    assert "truncated" in reasons.pop("corrupt") or "damaged" in reasons
    assert reasons == deaths
    assert pd.read_parquet(outcome.ranks)["image"].to_list() == [str(path) for path in good]
    lines = [record.getMessage() for record in caplog.records]
    for reason in (deaths["segfault"], deaths["hang"], deaths["killed"], "starts"):
        assert [line for line in lines if line.startswith("worker ") and reason in line], reason
    # What a worker itself says comes through the process that started it.
    own = "reads with the network that comes with emorank, on cpu; ranks: contrast"
    assert [line for line in lines if line.startswith("worker ") and line.endswith(own)]
    assert {record.process for record in caplog.records} == {os.getpid()}


def test_files_of_a_tar_are_fetched_while_others_are_read(some, tmp_path, monkeypatch):
    """After the first one each waits until another is fetched beside it; no more than a few are."""
    tar = shutil.make_archive(str(tmp_path / "faces"), "tar", some(7))
    beside, begun = Barrier(2, timeout=20), []

    def fetched(item):
        begun.append(item.name)
        if len(begun) > 1:
            beside.wait()
        return picture_of(item)

    monkeypatch.setattr(rank_many_module, "ask_ranks", _with_picture(fetched))
    outcome = whole(tar, tmp_path / "ranks.parquet", crop="none")
    assert outcome.counts.faces == 7
    assert pd.read_parquet(outcome.ranks)["image"].to_list() == sorted(begun)


@pytest.mark.slow
def test_a_picture_that_kills_while_others_are_fetched_is_named(some, tmp_path, monkeypatch):
    """Those of a tar are fetched a few ahead; whose fetching it was is found out."""
    folder = some(6)
    shutil.copy(min(folder.iterdir()), folder / "p01_anger_2_segfault.jpg")
    tar = shutil.make_archive(str(tmp_path / "faces"), "tar", folder)
    monkeypatch.setattr(rank_many_module, "ask_ranks", _with_picture(poisoned))
    outcome = rank_many(tar, tmp_path / "ranks.parquet", workers=1, crop="none")
    ((image, reason),) = pd.read_parquet(outcome.excluded).itertuples(index=False)
    assert image.endswith("p01_anger_2_segfault.jpg")
    assert reason == "crashed the process that read it (SIGSEGV)"
    assert outcome.counts.faces == 6


@pytest.mark.slow
def test_time_and_memory_are_bounded_as_the_command_says(cli, tmp_path):
    """A large picture is too much for little of either, and for neither as they are by default."""
    Image.new("RGB", (6000, 6000)).save(tmp_path / "large.png")
    reasons = {
        ("--time-limit", "0.1"): "took more than 0.1 s",
        ("--memory", "0.05"): "needs more memory than there is",
        (): "no face was found",
    }
    for number, (limit, reason) in enumerate(reasons.items()):
        out = ("--out", tmp_path / f"ranks{number}.csv", "--workers", "1")
        assert reason in cli("rank", tmp_path / "large.png", *out, *limit).failure


def test_a_network_that_dies_of_a_batch_is_shown_its_images_one_by_one(tmp_path):
    """So the one that it dies of is known."""
    attempts = Attempts(tmp_path / "000000.json")
    attempts.looking([3, 3, 7])
    assert Attempts(tmp_path / "000000.json").fold("crashed", certain=True)
    known = Attempts(tmp_path / "000000.json")
    assert (known.alone_until, known.poison) == (7, {})
    assert not known.fold()
    known.looking([7, 7])
    known.fold("crashed", certain=True)
    assert Attempts(tmp_path / "000000.json").poison == {7: "crashed"}


def test_an_image_is_not_excluded_by_what_others_do(tmp_path):
    """A process that somebody killed once or twice at an image says nothing of it."""
    for _ in range(ENOUGH):
        attempts = Attempts(tmp_path / "000000.json")
        assert attempts.poison == {}
        attempts.reading(5)
        assert Attempts(tmp_path / "000000.json").fold()
    assert Attempts(tmp_path / "000000.json").poison == {
        5: "the process that read it ended 3 times"
    }


def test_workers_that_cannot_start_end_the_run(tmp_path, monkeypatch):
    """They are not started for ever."""
    monkeypatch.setattr(supervisor, "IN_VAIN", 2)
    task, bounds = replace(ask_ranks(), picture=Deadly()), Bounds(1, 0)
    with pytest.raises(EmorankError, match="2 workers in a row ended before they had loaded"):
        run_shards(
            task, RunFolder(tmp_path), iter([0]), print, workers=1, bounds=bounds, time_limit=60
        )
