"""Images that changed between two runs are noticed, and those that did not are left alone."""

import os
import shutil
from collections import Counter

import pandas as pd
import pytest
from PIL import Image

from emorank.errors import StudyError
from emorank.study import run as stages
from emorank.study.folder import create_study, open_study
from emorank.study.framed_faces import Framed
from emorank.study.inventory import dataset_of, inventory
from emorank.study.plan import DataPlan, override

LATER = 2_000_000_000 * 10**9  # in nanoseconds


@pytest.fixture
def prepared(quick, own_drawn, tmp_path):
    """A prepared study of faces that may be spoilt."""
    study = create_study(tmp_path / "study", quick(data=own_drawn))
    stages.run(study, last="prepare")
    return study


class Log(stages.Quiet):
    def __init__(self):
        self.ends = []

    def end(self, stage, outcome, again):
        self.ends.append((stage, outcome, again))


def paint(path):
    """Change one corner of a picture; its file keeps its size if it is filled up."""
    picture = Image.open(path).convert("RGB")
    picture.paste((255, 0, 0), (0, 0, 9, 9))
    picture.save(path)


def test_each_change_is_named(prepared, own_drawn):
    """How many images, and the first of them; nothing is done before they are back."""
    before = prepared.stages()
    (own_drawn / "happy/p0.png").rename(own_drawn / "anger/q.png")
    for person in ("p1", "p2", "p3", "p4"):
        (own_drawn / f"happy/{person}.png").unlink()
    paint(own_drawn / "surprise/p5.png")
    with pytest.raises(StudyError) as raised:
        stages.run(prepared, last="prepare")
    message = str(raised.value)
    assert "5 gone (happy/p0.png, happy/p1.png, happy/p2.png …), 1 new (anger/q.png)" in message
    assert "1 with other pixels (surprise/p5.png)" in message
    assert message.endswith(f"emorank prepare --again --out {prepared.folder}")
    assert prepared.stages() == before


def test_swapped_classes_are_noticed(prepared, own_drawn):
    """All names are as they were, and the pictures behind them are others."""
    (own_drawn / "happy").rename(own_drawn / "h")
    (own_drawn / "anger").rename(own_drawn / "happy")
    (own_drawn / "h").rename(own_drawn / "anger")
    for path in own_drawn.glob("*/*.png"):
        os.utime(path)
    with pytest.raises(StudyError, match="16 with other pixels"):
        stages.run(prepared, last="prepare")


def test_touched_files_are_read_once_and_are_the_same(prepared, own_drawn):
    """A new time, or the same pixels stored otherwise, is no change."""
    os.utime(own_drawn / "happy/p1.png", ns=(LATER, LATER))
    again = own_drawn / "happy/p2.png"
    Image.open(again).save(again, compress_level=0)
    for ends in ([("images", "2 files were touched; their pixels are the same", True)], []):
        log = Log()
        stages.run(prepared, watch=log, last="prepare")
        assert log.ends[:-1] == ends
        assert log.ends[-1][2] is False  # prepared before


def test_an_image_of_which_nothing_was_made_counts_too(quick, own_drawn, tmp_path):
    """One that could not be read: as long as it has its size, it is the same."""
    broken = own_drawn / "happy/p1.png"
    broken.write_bytes(b"no picture")
    study = create_study(tmp_path / "study", quick(data=own_drawn))
    stages.run(study, last="prepare")
    os.utime(broken, ns=(LATER, LATER))
    stages.run(study, last="prepare")
    shutil.copy(own_drawn / "happy/p2.png", broken)
    with pytest.raises(StudyError, match=r"1 with other pixels \(happy/p1.png\)"):
        stages.run(study, last="prepare")


def test_what_a_table_says_of_an_image_counts(quick, own_drawn, tmp_path):
    """Another emotion or person of the same picture."""
    rows = ["image,emotion,person"]
    rows += [f"{p.parent.name}/{p.name},{p.parent.name},{p.stem}" for p in own_drawn.glob("*/*")]
    manifest = own_drawn / "manifest.csv"
    manifest.write_text("\n".join(rows))
    study = create_study(tmp_path / "study", quick({"data.dataset": "manifest"}, own_drawn))
    stages.run(study, last="prepare")
    rows = [row.replace("p1.png,happy", "p1.png,anger").removesuffix(",p7") for row in rows]
    manifest.write_text("\n".join(rows))
    says = r"1 of another emotion \(happy/p1.png\), 3 of another person \(anger/p7.png, "
    with pytest.raises(StudyError, match=says):
        stages.run(study, last="prepare")


def test_a_data_set_that_was_moved_is_the_same(prepared, own_drawn, tmp_path):
    """Another --data with the same images: what is done is still done."""
    moved = tmp_path / "moved"
    shutil.copytree(own_drawn, moved)  # new times
    shutil.rmtree(own_drawn)
    study = create_study(
        prepared.folder, override(prepared.plan, {"data.path": str(moved)}, origin="the options")
    )
    log = Log()
    stages.run(study, watch=log, last="prepare")
    assert log.ends[-1][2] is False
    stages.run(study, first="prepare", last="prepare")
    assert stages.is_done(open_study(study.folder), "prepare")
    (moved / "happy/p1.png").unlink()
    elsewhere = override(
        study.plan, {"data.path": str(tmp_path / "elsewhere")}, origin="the options"
    )
    moved.rename(tmp_path / "elsewhere")
    with pytest.raises(StudyError, match=r"elsewhere' \(1 gone \(happy/p1.png\).*choose another"):
        create_study(study.folder, elsewhere)
    assert open_study(study.folder).plan.data.path == str(moved)


def test_images_out_of_reach_are_not_missed(prepared, own_drawn, tmp_path):
    """An unmounted disk: nothing can be compared, and results stay."""
    own_drawn.rename(tmp_path / "unmounted")
    stages.run(prepared, last="prepare")


def test_a_study_of_an_earlier_version_is_compared_with_its_faces(prepared, own_drawn):
    """It has no inventory; files that are older than its table of faces are not read."""
    prepared.path("images.parquet").unlink()
    for path in own_drawn.glob("*/*.png"):
        os.utime(path, ns=(10**18, 10**18))
    late = own_drawn / "happy/p1.png"
    os.utime(late, ns=(LATER, LATER))
    log = Log()
    stages.run(prepared, watch=log, last="prepare")
    assert log.ends[0][1].startswith("1 files were touched")
    assert len(prepared.table("images")) == 24
    prepared.path("images.parquet").unlink()
    late.unlink()
    with pytest.raises(StudyError, match=r"1 gone \(happy/p1.png\)"):
        stages.run(prepared, last="prepare")


def test_altered_pixels_are_noticed_when_they_are_read(prepared, own_drawn):
    """Whoever reads a face, whenever it was altered."""
    faces = prepared.table("faces")
    framed = Framed(prepared, faces)
    framed(3)
    paint(own_drawn / faces["image"][3])
    with pytest.raises(StudyError, match=r"p3.png: its pixels were others .* prepare --again"):
        framed(3)


def test_prepare_again_does_what_follows_again(cli, own_study, own_drawn, settings):
    """All that had been done; and nothing more where the images came to the same."""
    folder = own_study.folder
    plan = override(own_study.plan, {"data.path": str(own_drawn)}, origin="the options")
    create_study(folder, plan)
    done = cli("prepare", "--again", "--out", folder)
    assert done.code == 0, done.err
    marks = Counter(line.partition(" prepare:")[0] for line in done.err.splitlines())
    assert marks["✓"] == 1
    assert done.err.count("✓ (done before)") == 6
    shutil.rmtree(own_drawn / "surprise")
    assert "8 gone" in cli("run", "--out", folder).failure
    votes = folder.parent / "votes.csv"
    table = pd.read_csv(own_study.plan.validate.votes)
    table[~table["image"].str.startswith("surprise")].to_csv(votes, index=False)
    done = cli("prepare", "--again", "--out", folder, f"--set=validate.votes={votes}")
    assert done.code == 0, done.err
    assert done.err.count("✓ (done before)") == 0
    assert len(open_study(folder).table("faces")) == 16
    assert open_study(folder).measured().emotion.count == len(open_study(folder).table("ranks"))


def test_rows_of_a_table_share_its_file(tmp_path):
    """FER2013 keeps all of its images in one CSV file; a file that is not there has no size."""
    pixels = " ".join(["7"] * 48 * 48)
    file = tmp_path / "fer2013.csv"
    file.write_text(f"emotion,pixels,Usage\n0,{pixels},Training\n3,{pixels},Training\n")
    dataset = dataset_of(DataPlan(dataset="fer2013", path=str(tmp_path)))
    assert inventory(dataset)["bytes"].to_list() == [file.stat().st_size] * 2
    file.unlink()
    assert inventory(dataset)["bytes"].to_list() == [-1, -1]
