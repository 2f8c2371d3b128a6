"""The paper's four experiments, as it made them and on persons never trained on, end to end.

The data sets are licensed; these are drawn faces under their file names.
"""

from pathlib import Path

import msgspec
import pandas as pd
import pytest
from tests.conftest import EMOTIONS, PERSONS, QUICK, draw

from emorank.datasets import load
from emorank.evaluation.rank_scores import RankValidation
from emorank.report.sections.papers_rule import rank_table
from emorank.study.folder import create_study
from emorank.study.plan import override, read_plan
from emorank.study.resolve import resolve
from emorank.study.run import run

CODES = {"anger": "AN", "happy": "HA", "surprise": "SU"}
NUMBERS = {"anger": 6, "happy": 1, "surprise": 3}  # of AffectNet
PAPER = {
    "data.crop": "none",
    "split.by": "random",
    "split.test": 0.2,
    "train.unfreeze": "none",
    "train.weight_decay": 0.001,
    "train.dropout": 0.5,
    "train.hidden": 4096,
    "train.epochs": 100,
    "train.patience": 0,
    "train.views": 1,
    "explain.preset": "epsilon",
    "rank.rule": "count",
}


def jaffe(root: Path, emotion: str, person: int) -> list[Path]:
    return [root / f"{chr(65 + person)}A.{CODES[emotion]}1.{person}.tiff"]


def kdef(root: Path, emotion: str, person: int) -> list[Path]:
    names = (f"{session}F{person + 1:02}" for session in "AB")
    return [root / name / f"{name}{CODES[emotion]}S.png" for name in names]


def ckplus(root: Path, emotion: str, person: int) -> list[Path]:
    take = EMOTIONS.index(emotion) + 1
    return [root / emotion / f"S{person:03}_{take:03}_{frame:08}.png" for frame in (15, 16)]


def affectnet(root: Path, emotion: str, person: int) -> list[Path]:
    return [root / "Manually_Annotated_Images" / "1" / f"{emotion}_{person}.png"]


LAYOUTS = {"jaffe": jaffe, "kdef": kdef, "ckplus": ckplus, "affectnet": affectnet}


@pytest.fixture(scope="module", params=LAYOUTS)
def dataset(request, tmp_path_factory):
    """A small data set of drawn faces in the layout of one of the four, and its name."""
    root = tmp_path_factory.mktemp(request.param)
    for emotion in EMOTIONS:
        for person in range(len(PERSONS)):
            for number, path in enumerate(LAYOUTS[request.param](root, emotion, person)):
                path.parent.mkdir(parents=True, exist_ok=True)
                draw(emotion, person, side=80 + number).save(path)
    if request.param == "affectnet":
        pictures = sorted(root.rglob("*.png"))
        lines = [
            f"1/{path.name},10,10,60,60,1;2,{NUMBERS[path.stem.partition('_')[0]]},0.1,0.1"
            for path in pictures
        ]
        header = (
            "subDirectory_filePath,face_x,face_y,face_width,face_height,"
            "facial_landmarks,expression,valence,arousal"
        )
        (root / "training.csv").write_text("\n".join([header, *lines]) + "\n")
    return request.param, root


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_papers_plans_say_what_the_paper_says(name):
    """A random split and Table 1; the size is the one that the tables of the set add up to."""
    plan = read_plan(f"paper/{name}")
    assert override(plan, PAPER) == plan
    assert plan.data.size == (255 if name == "affectnet" else 224)
    assert plan.train.batch in (32, 64)
    honest = read_plan(name)
    assert (honest.data.dataset, honest.split.by) == (plan.data.dataset, "person")


@pytest.mark.weights
@pytest.mark.parametrize("protocol", ["paper/", ""], ids=["paper", "persons"])
def test_an_experiment_runs_from_images_to_scores(dataset, protocol, tmp_path):
    """Either protocol by the same steps; the leakage is counted, both scores are there."""
    name, root = dataset
    plan = read_plan(f"{protocol}{name}")
    images = load(root, name, **plan.data.options).table["image"]
    votes = tmp_path / "votes.csv"
    pd.DataFrame({"image": images, "rater": "a", "rank": "Average"}).to_csv(votes, index=False)
    small = {"train.epochs": 2, "train.unfreeze": "none", "train.views": 1}
    own = {"data.path": str(root), "validate.votes": str(votes)}
    changes = QUICK | small | own
    assert (plan.train.backbone == "vgg16") == (protocol == "paper/" or name == "affectnet")
    if plan.train.backbone != "vgg16":
        del changes["data.size"]  # that of the backbone
    study = create_study(tmp_path / "study", resolve(override(plan, changes)))
    run(study, last="validate")
    metrics = study.metrics()
    shared = metrics["leakage"]["person"]
    if name == "affectnet":
        assert shared is None
    else:
        assert (shared > 0) == (protocol == "paper/")
    assert len(study.table("faces")) == 24 * (
        1 + (name == "ckplus" or (name == "kdef" and protocol == ""))
    )
    ranks = msgspec.convert(metrics["rank"], RankValidation)
    assert ranks.joint.count >= ranks.population.conditional
    assert rank_table(ranks)["Images"].iloc[-1] == ranks.population.conditional
