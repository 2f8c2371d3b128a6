"""How well do levels carry over to other persons, for networks trained on one's own faces?

    python studies/levels.py --demo demo --faces london_faces --out studies/levels.csv

On the shipped sample: a head on each ready backbone learns from three fifths of the persons, one
fifth validates, and the rest is ranked (`--seeds` drawings of five folds). "posed" learns and
validates with the last frame of each sequence and neutral faces alone. `demo` is a finished study
of the sample (make demo): its own network on its test persons. Each row is one way to cut the
contrast to neutral into levels:

- "cuts": as `emorank rank` does, by the temperature that is learnt with the network;
- "T = 1"; "likely T": the temperature of most likely probabilities (Guo et al. 2017);
- "thirds" of the validation faces, for each emotion, as the rank "evidence" has them;
- "validation votes", "test votes": the cuts with the best kappa on the votes of these persons;
  the second are chosen anew in each fold on the faces that they are tested on;
- "shipped network": its own contrasts and cuts.

`kappa` is quadratic, with the majority of the simulated raters, of the emotion that is shown
("asked") and of the one that the network names ("named"); `exact` the share of equal levels.
"photographs": levels of smiles in dissolves (0 to 100 %) of people who are neutral in one picture
and smile in another (folders neutral/ and happiness/, one file per person and folder under the same
name), against those of the shipped network; mean over networks. Intervals, 95 %, are over persons.
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from emorank import images
from emorank.datasets import sample
from emorank.evaluation.level_agreement import level_agreement
from emorank.evaluation.raters.pairwise import leave_one_out_tables, mean_kappa
from emorank.evaluation.raters.ratings import ratings
from emorank.evaluation.statistics.columns import Options, people
from emorank.evaluation.statistics.confusion import quadratic_kappa
from emorank.evaluation.statistics.uncertainty import counts_per_cluster
from emorank.framing import faces_in, framed
from emorank.networks.backbones import BACKBONES, on_backbone
from emorank.networks.normalisation import to_batch
from emorank.ranking import evidence
from emorank.ranking.contrast import levels
from emorank.reading.emotion_network import EmotionNetwork
from emorank.reading.measured import Measured
from emorank.reading.ready import ready_network
from emorank.study.folder import Study, create_study, open_study
from emorank.study.ground_truth import answers_of, ground_truth
from emorank.study.learning.crossfit import folds
from emorank.study.learning.measured_faces import measured_faces, temperature_of
from emorank.study.plan import Plan, override
from emorank.study.resolve import resolve
from emorank.study.run import run
from emorank.study.train_network import contrast_temperature
from emorank.study.trained_network import trained_network
from emorank.vocabulary import Emotion

SHARES = (0, 0.25, 0.5, 0.75, 1)
CLASSES = tuple(Emotion)


def main() -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--demo", type=Path, help="a finished study of the shipped sample")
    parser.add_argument("--faces", type=Path, help="folder with neutral/ and happiness/")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--out", type=Path, required=True, help="CSV to write")
    given = parser.parse_args()
    rows = []
    for row in measured(given.demo, given.faces, given.seeds):
        rows.append(row)
        pd.DataFrame(rows).round(3).to_csv(given.out, index=False)
    print(pd.DataFrame(rows).round(2).to_string(index=False))


def measured(demo: Path | None, faces: Path | None, seeds: list[int]) -> Iterator[dict[str, Any]]:
    """All rows."""
    if demo:
        yield from own_network(open_study(demo))
    with tempfile.TemporaryDirectory() as folder:
        for backbone in [name for name, about in BACKBONES.items() if about.layers]:
            study = prepared(Path(folder) / backbone, backbone, {"data.dataset": "sample"})
            if backbone == "expression":  # whose features are those of the shipped network
                yield one_rater(study)
                yield of_shipped(study)
            smiles = Smiles(backbone, faces) if faces else None
            yield from strangers(study, seeds, smiles)
            if smiles:
                changes = {"data.path": str(faces), "data.crop": "face"}
                london = prepared(Path(folder) / f"{backbone}, photographs", backbone, changes)
                yield from same_set(london, seeds, smiles)


def prepared(folder: Path, backbone: str, changes: dict[str, Any]) -> Study:
    """A study of some faces for a backbone, before training."""
    plan = override(Plan(), {"train.backbone": backbone, "model.weights": "imagenet"} | changes)
    study = create_study(folder, resolve(plan))
    run(study, last="prepare")
    return study


class Contrasts:
    """The contrast of some faces for the emotion that is shown, and for the one that is named."""

    def __init__(self, logits: np.ndarray, classes: tuple[Emotion, ...], emotion: pd.Series):
        self.logits, self.classes = logits, classes
        none, rows = classes.index(Emotion.NEUTRAL), np.arange(len(logits))
        contrast = logits - logits[:, [none]]
        contrast[:, none] = -np.inf
        self.label = emotion.map(classes.index).to_numpy(np.int64)
        named = contrast.argmax(1)
        self.neutral = self.label == none
        self.which = {"asked": np.where(self.neutral, named, self.label), "named": named}
        self.score = {way: contrast[rows, place] for way, place in self.which.items()}

    def words(self, way: str) -> list[str]:
        """What each face expresses; neutral where that is more probable."""
        pairs = zip(self.which[way], self.score[way], strict=True)
        return [str(self.classes[k] if score >= 0 else Emotion.NEUTRAL) for k, score in pairs]


def contrasts(study: Study, network: EmotionNetwork, faces: pd.DataFrame) -> Contrasts:
    """Of faces of a study, through its cached features."""
    parts = [measured.logits for measured in measured_faces(study, network, faces)]
    return Contrasts(np.concatenate(parts), tuple(network.classes), faces["emotion"])


def strangers(study: Study, seeds: list[int], smiles: "Smiles | None") -> Iterator[dict[str, Any]]:
    """Heads on a backbone, each tested on persons that no part of its training has seen."""
    truth = ground_truth(study, sample.votes_path())
    peak = truth["frame"] == truth.groupby(["person", "emotion"])["frame"].transform("max")
    posed = truth[peak.fillna(value=False) | (truth["emotion"] == Emotion.NEUTRAL)]
    backbone = study.plan.train.backbone
    for strengths, given in (("all strengths", truth), ("posed", posed)):
        about = {"backbone": backbone, "trained on": strengths}
        found, temperatures = defaultdict(list), []
        agrees = []
        for seed in seeds:
            for fold in folds(study, given.reset_index(drop=True), 5, seed):
                own = truth["person"].isin(fold.held_out["person"])
                tested = truth[own].reset_index(drop=True)
                network, watched = fold.network, fold.watched
                t = contrast_temperature(study, network.net, network.classes, watched)
                known = contrasts(study, network, watched)
                face, level = contrasts(study, network, tested), tested["level"].to_numpy(np.int64)
                for name, both in ways(known, watched["level"], face, level, t).items():
                    found[name].append(tested.assign(**both))
                temperatures.append(t)
                if smiles:
                    agrees.append([smiles.agreement(network, one) for one in (t, 1.0)])
            print(about, "seed", seed, flush=True)
        for name, parts in found.items():
            mean = float(np.mean(temperatures)) if name == "cuts" else None
            yield about | {"cuts": name} | scored(pd.concat(parts)) | {"temperature": mean}
        if smiles:
            yield from photographs(about, agrees)


def of_shipped(study: Study) -> dict[str, Any]:
    """The shipped network as it is."""
    truth = ground_truth(study, sample.votes_path())
    face = contrasts(study, ready_network(), truth)
    both = {way: levels(score) for way, score in face.score.items()}
    return {"cuts": "shipped network"} | scored(truth.assign(**both))


def ways(
    known: Contrasts, votes: pd.Series, face: Contrasts, level: np.ndarray, temperature: float
) -> dict[str, dict[str, np.ndarray]]:
    """The levels of some faces by each way to cut; `known` are the validation faces."""
    shown = known.logits.argmax(1) != known.classes.index(Emotion.NEUTRAL)
    words = np.array(known.words("named"))
    thirds = evidence.cuts(known.score["named"][shown], list(words[shown]))
    likely = likely_temperature(known)
    best = best_cuts(known.score["asked"], votes.to_numpy(np.int64))
    oracle = {way: best_cuts(score, level) for way, score in face.score.items()}
    made: dict[str, dict[str, np.ndarray]] = defaultdict(dict)
    for way, score in face.score.items():
        made["cuts"][way] = levels(score / temperature)
        made["T = 1"][way] = levels(score)
        made["likely T"][way] = levels(score / likely)
        made["thirds"][way] = evidence.levels(score, face.words(way), thirds)
        made["validation votes"][way] = (score[:, None] >= best).sum(1)
        made["test votes"][way] = (score[:, None] >= oracle[way]).sum(1)
    return made


def likely_temperature(known: Contrasts) -> float:
    """That of the greatest likelihood; 1 where all faces are named rightly, so it has no end."""
    if (known.logits.argmax(1) == known.label).all():
        return 1.0

    def loss(log: float) -> float:
        logs = log_softmax(known.logits.astype(np.float64) / np.exp(log), axis=1)
        return float(-logs[np.arange(len(logs)), known.label].mean())

    bounds = (np.log(0.05), np.log(20))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def best_cuts(score: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Three cuts with a high kappa, one after another along quantiles of the scores."""
    places = np.quantile(score, np.linspace(0.02, 0.98, 40))
    cuts = np.quantile(score, [0.15, 0.4, 0.7])
    for _ in range(4):
        for j in range(3):
            tried = np.repeat(cuts[None], len(places), axis=0)
            tried[:, j] = places
            tried.sort(axis=1)
            made = (score[:, None] >= tried[:, None]).sum(2)
            cuts = tried[int(np.argmax([kappa(row, level) for row in made]))]
    return cuts


def kappa(one: np.ndarray, other: np.ndarray) -> float:
    """Cohen's, quadratic, of two lists of levels."""
    table = counts_per_cluster(other, one, (4, 4), np.zeros(len(one), np.int64))
    return float(quadratic_kappa(table)[0])


def scored(faces: pd.DataFrame) -> dict[str, Any]:
    """Agreement of the levels `asked` and `named` with the majority."""
    row: dict[str, Any] = {"faces": faces["image"].nunique(), "persons": faces["person"].nunique()}
    for way in ("asked", "named"):
        agrees = level_agreement(faces[way], faces["level"], faces["person"])
        found = agrees.quadratic_kappa
        row |= {way: found.value, f"{way} low": found.low, f"{way} high": found.high}
        row[f"{way} exact"] = agrees.accuracy.value
    return row


def one_rater(study: Study) -> dict[str, Any]:
    """One simulated rater against the majority of the others; neutral faces are None to all."""
    answers = answers_of(study, sample.votes_path())
    grid = ratings(answers)
    tables = leave_one_out_tables(grid)
    truth = ground_truth(study, sample.votes_path()).set_index("image")
    person = truth["person"].loc[pd.unique(answers["image"])]
    who = people(person, np.ones(len(person), bool))
    sums = np.zeros((who.size, *tables.shape[1:]))
    np.add.at(sums, who.number, tables)
    calm = truth[truth["emotion"] == Emotion.NEUTRAL]["person"].value_counts()
    sums[:, :, 0] += calm[pd.unique(person)].to_numpy()[:, None]
    found = who.sums({"kappa": mean_kappa}, sums, Options())["kappa"]
    return {
        "cuts": "one rater",
        "asked": found.value,
        "asked low": found.low,
        "asked high": found.high,
    }


class Smiles:
    """Dissolves of the neutral and the smiling picture of each person, as two networks see them."""

    def __init__(self, backbone: str, folder: Path):
        about, shipped = BACKBONES[backbone], ready_network()
        self.person, own, ready = [], [], []
        for path in sorted((folder / "neutral").glob("*.jpg")):
            pair = [images.read(folder / word / path.name) for word in ("neutral", "happiness")]
            marks = [faces_in(rgb, path, nearest=True)[0].landmarks for rgb in pair]
            for pixels, size, width in ((own, about.size, about.width), (ready, shipped.size, 1.0)):
                calm, smile = (
                    framed(rgb, mark, size or 0, width).astype(float)
                    for rgb, mark in zip(pair, marks, strict=True)
                )
                pixels += [np.rint((1 - s) * calm + s * smile).astype(np.uint8) for s in SHARES]
            self.person += [path.stem.split("_")[0]] * len(SHARES)
        net = on_backbone(backbone, len(CLASSES))
        with torch.inference_mode():
            self.features = torch.cat(
                [
                    net.trunk(to_batch(own[k : k + 16], about.normalisation), net.end)
                    for k in range(0, len(own), 16)
                ]
            )
        measured = (
            Measured(shipped, ready[k : k + 16], Emotion.HAPPY) for k in range(0, len(ready), 16)
        )
        self.shipped = levels(np.concatenate([one.contrast for one in measured]))

    def agreement(
        self, network: EmotionNetwork, temperature: float, persons: set[str] | None = None
    ) -> float:
        """Kappa between the levels of a network and those of the shipped one."""
        of = np.array([persons is None or person in persons for person in self.person])
        contrast = Measured(network, emotion=Emotion.HAPPY, trunk=self.features[of]).contrast
        return kappa(levels(contrast / temperature), self.shipped[of])


def same_set(study: Study, seeds: list[int], smiles: Smiles) -> Iterator[dict[str, Any]]:
    """Networks that learnt from other persons of the same photographs."""
    faces = ground_truth(study)
    faces["person"] = faces["image"].map(lambda image: Path(image).stem.split("_")[0])
    agrees = []
    for seed in seeds:
        for fold in folds(study, faces, 5, seed):
            network, persons = fold.network, set(fold.held_out["person"])
            t = contrast_temperature(study, network.net, network.classes, fold.watched)
            agrees.append([smiles.agreement(network, one, persons) for one in (t, 1.0)])
    about = {"backbone": study.plan.train.backbone, "trained on": "photographs, other persons"}
    yield from photographs(about, agrees)


def photographs(about: dict[str, Any], agrees: list[list[float]]) -> Iterator[dict[str, Any]]:
    """Rows of the mean agreement with the shipped network, with the cuts and with T = 1."""
    for name, value in zip(("cuts", "T = 1"), np.mean(agrees, axis=0), strict=True):
        yield about | {"cuts": f"photographs, {name}", "asked": float(value)}


def own_network(study: Study) -> Iterator[dict[str, Any]]:
    """The network of a study on its own test persons."""
    truth = ground_truth(study, sample.votes_path())
    tested = truth[truth["part"] == "test"].reset_index(drop=True)
    network = trained_network(study)
    face = contrasts(study, network, tested)
    for name, t in (("cuts", temperature_of(study, network)), ("T = 1", 1.0)):
        both = {way: levels(score / t) for way, score in face.score.items()}
        about = {"backbone": study.plan.train.backbone, "trained on": "demo", "cuts": name}
        yield about | scored(tested.assign(**both)) | {"temperature": t}


if __name__ == "__main__":
    main()
