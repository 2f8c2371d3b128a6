"""How far can the ordinal rank be believed, and which way of training it is best?

    python studies/ordinal.py variants --out studies/ordinal_variants.csv
    python studies/ordinal.py validity --out studies/ordinal.csv --london FOLDER

`variants` trains each variant on the training persons of several splits of the shipped sample and
scores it on their *validation* persons, each with thresholds fitted on the other one; it does not
use test persons. `validity` trains the chosen variant as `emorank train --ordinal` does and scores
it on the *test* persons of each split, and the network of the first split on real photographs, a
folder with `neutral` and `happiness` in it. The sample's faces are rendered and its raters are
simulated. Intervals are percentile bootstraps over persons, and those over 3 persons are rough.
"""

import argparse
import tempfile
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from emorank.evaluation.laboratory.separation import ALL, separation
from emorank.evaluation.laboratory.validity import correlations
from emorank.evaluation.level_agreement import level_agreement
from emorank.evaluation.statistics.columns import Options
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.framing import Views
from emorank.networks import ordinal
from emorank.networks.checkpoint import Checkpoint
from emorank.reading.emotion_network import EmotionNetwork
from emorank.reading.measured import Measured
from emorank.reading.ranks import level_table
from emorank.reading.ranks import ordinal as ordinal_rank
from emorank.study.folder import Study, create_study
from emorank.study.learning.measured_faces import measured_faces
from emorank.study.learning.train_ordinal import learn, load_ordinal, rated, train_ordinal
from emorank.study.plan import override, read_plan
from emorank.study.resolve import resolve
from emorank.study.run import run
from emorank.study.trained_network import trained_network
from emorank.vocabulary import Emotion

SEEDS = (0, 1, 2, 3)  # of the split: who is trained on, who validates, who is tested on
# A head of this width is trained in seconds.
CHANGES = {"train.hidden": 256, "train.views": 2, "train.epochs": 60, "train.patience": 10}
OTHERS = {"absent": ordinal.ABSENT, "unknown": ordinal.UNKNOWN}
OPTIONS = Options(1000)


def main() -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("what", choices=["variants", "validity"])
    parser.add_argument("--out", type=Path, required=True, help="CSV to write")
    parser.add_argument("--london", type=Path, help="folder with neutral/ and happiness/")
    parser.add_argument("--work", type=Path, help="where the studies are kept, to go on later")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = given.work or Path(folder)
        rows = variants(work) if given.what == "variants" else validity(work, given.london)
        table = pd.DataFrame(rows).round(4)
    table.to_csv(given.out, index=False)
    print(table.to_string(index=False))


def split(work: Path, seed: int, last: str) -> Study:
    """The sample under one split, done up to a stage."""
    plan = read_plan(Path(__file__).with_name("sample.toml"))
    study = create_study(
        work / f"sample-{seed}", resolve(override(plan, CHANGES | {"split.seed": seed}))
    )
    run(study, last=last)
    return study


def variants(work: Path) -> list[dict[str, Any]]:
    """A row per variant and split, scores on the validation persons given their emotion."""
    rows = []
    for seed in SEEDS:
        study = split(work, seed, "prepare")
        parts = rated(study, None)
        truth = parts["validation"]
        known = set(parts["train"]["emotion"]) - {Emotion.NEUTRAL}
        emotions = tuple(emotion for emotion in Emotion if emotion in known)
        for loss, others in product(ordinal.LOSSES, OTHERS):
            net, watched, curves = learn(study, parts, emotions, loss, OTHERS[others])
            odds = outputs(net, study.plan.train.cut, watched)
            places = net.classifier[-1].places.detach()
            settled = crosswise(odds, places, watched.labels, truth["person"])
            row = {"seed": seed, "loss": loss, "others": others, "epochs": len(curves)}
            rows.append(
                row | found(odds, truth, emotions) | found(settled, truth, emotions, "settled_")
            )
    return rows


def outputs(net: Any, cut: int, examples: Any) -> np.ndarray:
    """What the network says of all examples."""
    device = next(net.parameters()).device
    with torch.inference_mode():
        rows = np.arange(len(examples.labels))
        return net.tail(examples.batch(rows, 0, device)[0], cut).cpu().numpy()


def crosswise(
    odds: np.ndarray,
    places: Tensor,
    labels: np.ndarray,
    persons: pd.Series,
    *,
    itself: bool = False,
) -> np.ndarray:
    """Log-odds of each person with thresholds settled on the others, or on the person's own."""
    scores = torch.from_numpy(odds.reshape(*labels.shape, -1)[..., 1]).double()
    given, settled = torch.from_numpy(labels), np.empty_like(odds)
    for person in persons.unique():
        here = (persons == person).to_numpy()
        learnt = here if itself else ~here
        scale, middle, distances = ordinal.most_likely_thresholds(
            scores[learnt], given[learnt], places.double()
        )
        steps = np.array([-distances[0], 0.0, distances[1]]) + middle
        settled[here] = (scale * scores[here].numpy()[..., None] - steps).reshape(here.sum(), -1)
    return settled


def found(
    odds: np.ndarray, truth: pd.DataFrame, emotions: tuple[Emotion, ...], prefix: str = ""
) -> dict[str, float | None]:
    """Kappa, error and correlation; of a neutral face the strongest emotion counts."""
    strongest = odds.reshape(len(odds), len(emotions), -1)[..., 1].argmax(1)
    words = [
        emotions[k] if word == Emotion.NEUTRAL else word
        for k, word in zip(strongest, truth["emotion"], strict=True)
    ]
    shares = np.argmax([[e == word for e in emotions] for word in words], axis=1)
    rows = np.arange(len(odds))
    level = ordinal.levels(odds)[rows, shares]
    score = odds.reshape(len(odds), len(emotions), -1)[rows, shares, 1]
    ranks = level_agreement(level, truth["level"], truth["person"], OPTIONS)
    follows = follow(score, truth)
    return {
        f"{prefix}kappa": ranks.quadratic_kappa.value,
        f"{prefix}mae": ranks.mean_absolute_error.value,
        f"{prefix}spearman_within": follows.value,
    }


def follow(score: np.ndarray, truth: pd.DataFrame) -> Estimate:
    """Spearman's rho of a score and the mean rating within emotion."""
    emotion = truth["emotion"].mask(truth["emotion"] == Emotion.NEUTRAL)
    return correlations(score, truth["mean"], emotion, truth["person"], OPTIONS).spearman_within


def validity(work: Path, london: Path | None) -> list[dict[str, Any]]:
    """Rows of scores with intervals: each split, all test persons together, photographs."""
    rows, tables = [], []
    for seed in SEEDS:
        study = split(work, seed, "train")
        if study.result("ordinal") is None:
            train_ordinal(study)
        truth = rated(study, None)["test"]
        network = trained_network(study)
        model = load_ordinal(study, network)
        batches = [*measured_faces(study, network, truth)]
        odds = np.concatenate([measured.outputs(model.net) for measured in batches])
        parts = [measured.table.join(ordinal_rank(measured, model)) for measured in batches]
        named = pd.concat(parts, ignore_index=True).rename(columns={"level": "level_found"})
        labels = ordinal.labels(truth["emotion"].to_list(), truth["level"].to_list(), model.classes)
        places = torch.tensor(model.thresholds)
        best = crosswise(odds, places, labels, truth["person"], itself=True)
        by_person = own(best, model, truth).add_prefix("person_")
        parts = [truth, named, own(odds, model, truth), by_person]
        tables.append(pd.concat(parts, axis=1))
        rows += measured(f"split {seed}", tables[-1])
        if seed == SEEDS[0] and london is not None:
            rows += photographs(network, model, london)
    return rows + measured("all splits", pd.concat(tables, ignore_index=True))


def own(odds: np.ndarray, model: Checkpoint, truth: pd.DataFrame) -> pd.DataFrame:
    """Level and score of the emotion that a face does express; of a neutral one the strongest."""
    scores = odds.reshape(len(odds), -1, ordinal.STEPS)[..., 1]
    strongest = pd.Series([model.classes[k] for k in scores.argmax(1)])
    words = truth["emotion"].where(truth["emotion"] != Emotion.NEUTRAL, strongest)
    return level_table(odds, words, model)[["level", "score"]].add_prefix("own_")


def measured(faces: str, table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rank as `emorank rank --rank ordinal` gives it, and given the emotion."""
    rows = []
    for what, level, score in (
        ("as named", "level_found", "score"),
        ("given the emotion", "own_level", "own_score"),
        # Not to be had in use: it says how much is lost by not knowing the person.
        ("given emotion and person's thresholds", "person_own_level", "person_own_score"),
    ):
        ranks = level_agreement(table[level], table["level"], table["person"], OPTIONS)
        named = {"faces": faces, "emotion": what, "count": len(table)}
        named["persons"] = table["person"].nunique()
        rows += [
            row(named, "quadratic kappa", ranks.quadratic_kappa, 0.0),
            row(
                named, "mean absolute error", ranks.mean_absolute_error, ranks.majority_error.value
            ),
            row(named, "Spearman within emotion", follow(table[score].to_numpy(), table), 0.0),
        ]
    named = {"faces": faces, "emotion": "as named", "count": len(table)}
    named["persons"] = table["person"].nunique()
    probability = follow(table["expressed_p"].to_numpy(), table)
    return [*rows, row(named, "Spearman within emotion, probability", probability, 0.0)]


def row(
    named: dict[str, Any], score: str, estimate: Estimate, chance: float | None
) -> dict[str, Any]:
    """One line of the table."""
    ends = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    return named | {"score": score} | ends | {"chance": chance}


def photographs(
    network: EmotionNetwork, model: Checkpoint, folder: Path
) -> Iterable[dict[str, Any]]:
    """Happy intensity of smiling against neutral photographs, and the classifier's probability."""
    faces = []
    for kind in ("neutral", "happiness"):
        files = sorted((folder / kind).iterdir())
        for batch in Views(files, model.size, "face", nearest=True).batches(8):
            measured = Measured(network, [view.pixels for view in batch])
            happy = level_table(measured.outputs(model.net), ["happy"] * len(batch), model)
            happy["person"] = [view.image.stem.split("_")[0] for view in batch]
            happy["probability"] = measured.table["p_happy"]
            faces.append(happy.assign(smiling=kind == "happiness"))
    table = pd.concat(faces, ignore_index=True)
    emotion = table["smiling"].map({True: "happy", False: None})
    named = {"faces": "london", "emotion": "happy", "count": len(table)}
    named["persons"] = table["person"].nunique()
    for name in ("score", "level", "probability"):
        areas = separation(table[name], emotion, ~table["smiling"], table["person"], OPTIONS)
        yield row(named, f"AUC of the {name}, smiling against neutral", areas[ALL], 0.5)
    for smiling, some in table.groupby("smiling"):
        share = float((some["level"] > 0).mean())
        kind = "smiling" if smiling else "neutral"
        yield row(named, f"share above None, {kind}", Estimate(share), None)


if __name__ == "__main__":
    main()
