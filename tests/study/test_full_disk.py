"""A disk that runs full in the middle of a run, and is enlarged."""

import shutil
import subprocess
import sys

import pandas as pd
import pytest

from emorank.study.folder import open_study

pytestmark = pytest.mark.weights


@pytest.fixture
def disk(tmp_path):
    """Mount a small file system of a given size, or change the size of it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = []

    def sized(size):
        options = f"size={size}" if not mounted else f"remount,size={size}"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            pytest.skip(f"no small file system can be mounted here: {done.stderr.strip()}")
        mounted.append(size)
        return folder

    if sys.platform != "linux" or shutil.which("mount") is None:
        pytest.skip("the small file system is a tmpfs of Linux")
    yield sized
    if mounted:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_stops_with_a_message_and_the_run_goes_on_later(
    disk, cli, drawn, votes, finished, settings
):
    """Exit status 1, one line that says why, no half file; enlarged, the same command completes."""
    # What fits: next to nothing; the tables of the first stage; the model and little more, once it
    # was trained, which asks for more; all.
    model = (finished / "model.safetensors").stat().st_size // 1024
    sizes = ("16k", "8m", f"{model + 200}k", "300m")
    came_to = []
    for size in sizes:
        folder = disk(size) / "study"
        if size == sizes[2]:
            disk(sizes[-1])
            assert cli("train", "--study", folder).code == 0
            disk(size)
        command = ["run", "--data", drawn, "--votes", votes, "--out", folder, *settings()]
        done = cli(*command)
        if came_to:
            assert came_to[-1] == 0 or size == sizes[-1] or "the stage '" in done.failure
        if size != sizes[-1]:
            assert "No space left on device" in done.failure
            assert "nothing half-written" in done.failure
            assert str(folder) in done.failure  # which file
        assert [p for p in folder.rglob("*") if p.name.endswith(".partial") and p.is_file()] == []
        came_to.append(sum(line.startswith("✓") for line in done.err.splitlines()))
    assert done.code == 0, done.err
    assert came_to == [0, 1, 3, 7]  # stages done
    assert "✓ (done before) train" in done.err
    study, expected = open_study(folder), open_study(finished)
    for name in ("faces", "split", "predictions", "ranks"):
        pd.testing.assert_frame_equal(study.table(name), expected.table(name))


def test_a_table_of_new_images_is_whole_or_not_there(disk, cli, drawn, finished):
    """`rank --out` on a full disk fails with a message; what was done is no table yet."""
    folder = disk("40k")
    (folder / "filler").write_bytes(bytes(40 * 1024))
    done = cli("rank", drawn / "happy", "--study", finished, "--out", folder / "ranks.csv")
    assert "No space left on device" in done.failure
    assert {path.name for path in folder.iterdir()} <= {"filler", "ranks.csv.partial"}
