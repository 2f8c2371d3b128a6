"""Which scores follow the intensity of an expression, in persons that no network has seen?

    python studies/rank_validity.py demo --folds 7 --seeds 0 1 --faces london_faces \
        --out studies/rank_validity.csv

`demo` is a finished study of the shipped sample (make demo). Three parts, one row per score each:

- "study": its test persons and its own network; the calibrated rank is fitted on its validation
  persons, and given once with its abstentions and once made to name the most probable level.
- "folds": all persons, each measured with a classifier that was trained without them
  (cross-fitting), for each seed; calibrated on the validation persons of that training, or on
  everybody else, each with a classifier that had not seen them. Correlations are within emotion
  *and* fold, because two networks have no common scale.
- "photographs": people who are neutral in one picture and smile in another (folders neutral/ and
  happiness/, one file per person and folder under the same name), measured for "happy" with the
  study's own network.

Intervals are over persons. The score of the rank "evidence" was chosen on the validation persons of
the folds alone; the other rows are the scores that were not chosen.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import torch

from emorank.evaluation.laboratory.separation import separation
from emorank.evaluation.laboratory.validity import correlations
from emorank.evaluation.level_agreement import level_agreement
from emorank.evaluation.statistics.columns import Options
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.framing import Views
from emorank.networks.features import features
from emorank.networks.normalisation import to_batch
from emorank.networks.vgg16 import CUT_HEAD
from emorank.ranking import evidence
from emorank.ranking.calibrated import LevelModel
from emorank.ranking.proportional_odds import ProportionalOdds
from emorank.ranking.relevance_features import FEATURES, MOVED, REGIONS, relevance_features
from emorank.reading.emotion_network import EmotionNetwork
from emorank.reading.measured import emotion_table, expressed
from emorank.reading.reader import BATCH
from emorank.study.folder import Study, open_study
from emorank.study.framed_faces import Framed
from emorank.study.ground_truth import ground_truth
from emorank.study.learning.crossfit import folds
from emorank.study.learning.measured_faces import cuts_of
from emorank.study.readers import reader_of
from emorank.study.trained_network import trained_network
from emorank.vocabulary import LEVEL_COLUMNS, Emotion

INPUTS = ("net", "mass", "balance")
KEPT = ("paper", "evidence", "calibrated", "calibrated, cross-fitted")
PRESSED = ", never abstaining"
OWN = "less that of the person's own neutral faces: balance"
STARTS = ("logit", "contrast to neutral", "contrast to the runner-up")


def main() -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("study", type=Path, help="a finished study of the shipped sample")
    parser.add_argument("--folds", type=int, default=7)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--hidden", type=int, default=512, help="width of the folds' classifiers")
    parser.add_argument("--faces", type=Path, help="folder with neutral/ and happiness/")
    parser.add_argument("--out", type=Path, required=True, help="CSV to write")
    given = parser.parse_args()
    study = open_study(given.study)
    rows = own_network(study)
    if given.faces:
        rows += photographs(study, given.faces)
    if given.seeds:
        rows += crossfitted(study, given.folds, given.seeds, given.hidden)
    table = pd.DataFrame(rows).drop_duplicates()
    table.round(3).to_csv(given.out, index=False)
    print(table.round(2).to_string(index=False))


def own_network(study: Study) -> list[dict[str, object]]:
    """The study's test persons; the paper's rank is the one that the study has written."""
    truth, network = ground_truth(study), trained_network(study)
    watched, held = (
        truth[truth["part"] == part].reset_index(drop=True) for part in ("validation", "test")
    )
    measured = of_study(study, network, watched), of_study(study, network, held)
    table = less_neutral(held.join(scored(*measured, watched["level"])))
    table = table.join(by_the_paper(study, network, held))
    return [row("study", name, table, table["emotion"]) for name in names(table)]


def crossfitted(study: Study, count: int, seeds: list[int], hidden: int) -> list[dict[str, object]]:
    """All persons, each by a classifier that was trained without them."""
    recipe = msgspec.structs.replace(study.plan.train, hidden=hidden)
    study = Study(study.folder, msgspec.structs.replace(study.plan, train=recipe))
    truth = ground_truth(study)
    tables = []
    for seed in seeds:
        found = []
        for fold in folds(study, truth, count, seed):
            held, watched = (
                of_study(study, fold.network, f) for f in (fold.held_out, fold.watched)
            )
            table = scored(watched, held, fold.watched["level"])
            table = less_neutral(fold.held_out.join(table))
            table = table.join(by_the_paper(study, fold.network, fold.held_out))
            found.append(table.join(held[list(INPUTS)]).assign(fold=f"{seed}.{fold.number}"))
            print(f"seed {seed}, fold {fold.number}", flush=True)
        tables.append(by_all_others(pd.concat(found, ignore_index=True)))
    table = pd.concat(tables, ignore_index=True)
    group = table["emotion"] + " " + table["fold"]
    part = f"folds, seeds {' '.join(map(str, seeds))}"
    return [row(part, name, table, group) for name in names(table)]


def by_all_others(table: pd.DataFrame) -> pd.DataFrame:
    """The calibrated rank fitted on the persons of all other folds, as `--crossfit` does it."""
    for fold in table["fold"].unique():
        here = table["fold"] == fold
        others = table[~here]
        fitted = calibrated(fit(others, others["level"]), table[here])
        for column in fitted:
            name = column.replace(KEPT[2], KEPT[3])
            table.loc[here, name] = fitted[column].astype("float").to_numpy()
    return table


def calibrated(fitted: LevelModel, faces: pd.DataFrame) -> pd.DataFrame:
    """The calibrated rank, and the same made to say the most probable level where it abstains."""
    ranks = fitted.ranks(faces.reset_index(drop=True))
    pressed = ranks[list(LEVEL_COLUMNS)].to_numpy().argmax(1)
    name = KEPT[2]
    return pd.DataFrame(
        {
            name: ranks["score"],
            f"{name} level": ranks["level"],
            f"{name}{PRESSED}": ranks["score"],
            f"{name}{PRESSED} level": pressed,
        }
    )


def by_the_paper(study: Study, network: EmotionNetwork, faces: pd.DataFrame) -> pd.DataFrame:
    """The paper's rank of a study's faces, from maps of the logit under the plan's rules."""
    framed, reader = Framed(study, faces), reader_of(study, network=network)
    table = reader.levels([framed(row) for row in range(len(faces))])
    return pd.DataFrame({"paper": table["score"], "paper level": table["level"].astype(int)})


def less_neutral(table: pd.DataFrame) -> pd.DataFrame:
    """The evidence less what the same network finds in neutral faces of the same person."""
    neutral = table[table["emotion"] == Emotion.NEUTRAL].groupby("person")["evidence"].mean()
    return table.assign(**{OWN: table["evidence"] - table["person"].map(neutral)})


def photographs(study: Study, folder: Path) -> list[dict[str, object]]:
    """Neutral against smiling, each face measured for "happy"."""
    network, truth = trained_network(study), ground_truth(study)
    watched = truth[truth["part"] == "validation"].reset_index(drop=True)
    paths = [path for word in ("neutral", "happiness") for path in (folder / word).glob("*.jpg")]
    views = Views(sorted(paths), study.plan.data.size, "face", nearest=True)
    where, found = [], []
    for some in views.batches(BATCH):
        with torch.inference_mode():
            maps = network.net.trunk(to_batch([view.pixels for view in some]), CUT_HEAD)
        found.append(candidates(network, maps.clone(), Emotion.HAPPY))
        where += [view.image for view in some]
    measured = pd.concat(found, ignore_index=True)
    table = scored(of_study(study, network, watched), measured, watched["level"])
    calm = np.array([path.parent.name == "neutral" for path in where])
    people = [path.stem for path in where]
    smile = np.where(calm, None, "happy")
    rows = []
    for name in names(table):
        area = separation(table[name], smile, calm, people, Options(resamples=1000))["happy"]
        counts = {"part": "photographs", "score": name, "faces": len(table)}
        rows.append(counts | {"persons": len(set(people))} | spelled("auc", area))
    return rows


def of_study(study: Study, network: EmotionNetwork, faces: pd.DataFrame) -> pd.DataFrame:
    """Every candidate of a study's faces, from the cached features."""
    keys = [f"{digest}.0" for digest in faces["digest"]]
    side = study.plan.data.size
    cached = features(network.net, CUT_HEAD, side, keys, partial(map, Framed(study, faces)))
    starts = range(0, len(faces), BATCH)
    some = [cached.batch(np.arange(k, min(k + BATCH, len(faces)))) for k in starts]
    return pd.concat([candidates(network, maps) for maps in some], ignore_index=True)


def candidates(
    network: EmotionNetwork, maps: torch.Tensor, of: Emotion | None = None
) -> pd.DataFrame:
    """What could be a score: of the logit, and of its contrast to neutral and to the runner-up.

    Args:
        network: knows neutral.
        maps: (batch, 512, 7, 7) features.
        of: the emotion; None for the expressed one of each face.
    """
    starts = dict.fromkeys(STARTS, partial(_start, classes=network.classes, of=of))
    records = {
        name: network.head(maps, partial(begin, which=name)) for name, begin in starts.items()
    }
    logits = records["logit"].logits.numpy()
    table = emotion_table(logits, network.classes, expressed(logits, network.classes))
    chosen = table["expressed"] if of is None else pd.Series([str(of)] * len(table))
    table["probability"] = [table.loc[i, f"p_{word}"] for i, word in enumerate(chosen)]
    for name, record in records.items():
        values = relevance_features(record.pixels.numpy())
        frame = pd.DataFrame(values, columns=list(FEATURES))
        moved = [sum(frame.loc[i, p] for p in MOVED[Emotion(w)]) for i, w in enumerate(chosen)]
        table[f"{name} itself"] = record.sums[0].numpy()
        for feature in ("net", "mass", "balance"):
            table[f"{name}: {feature}"] = frame[feature]
        table[f"{name}: share in moved regions"] = moved
        table[f"{name}: mass in moved regions"] = frame["mass"] * moved
        if name == "contrast to neutral":
            table = table.join(frame)
    return table


def _start(
    logits: torch.Tensor, which: str, classes: Sequence[Emotion], of: Emotion | None
) -> torch.Tensor:
    rows = torch.arange(len(logits))
    neutral = torch.tensor([emotion == Emotion.NEUTRAL for emotion in classes])
    shown = logits.masked_fill(neutral, -torch.inf)
    chosen = shown.argmax(1) if of is None else torch.full_like(rows, list(classes).index(of))
    begin = torch.zeros_like(logits)
    begin[rows, chosen] = logits[rows, chosen]
    if which == "logit":
        return begin
    others = shown.scatter(1, chosen[:, None], -torch.inf).argmax(1)
    against = torch.full_like(rows, int(neutral.int().argmax()))
    against = others if which == "contrast to the runner-up" else against
    begin[rows, against] = -logits[rows, against]
    return begin


def scored(watched: pd.DataFrame, held: pd.DataFrame, level: pd.Series) -> pd.DataFrame:
    """The candidates of faces held out, and the kept ranks made on the faces watched."""
    shares = [f"share in the {region}" for region in REGIONS]
    table = held.rename(columns=dict(zip(REGIONS, shares, strict=True)))
    kept = [
        "probability",
        *(c for c in table if c.partition(":")[0].removesuffix(" itself") in STARTS),
    ]
    table = table[["predicted", *kept, *shares]].copy()
    table["evidence"] = held[evidence.SCORE]
    cuts, words = cuts_of(watched), held["predicted"].to_list()
    table["evidence level"] = evidence.levels(held[evidence.SCORE].to_numpy(), words, cuts)
    return table.join(calibrated(fit(watched, level), held))


def fit(measured: pd.DataFrame, level: pd.Series) -> LevelModel:
    """The calibrated rank on faces of known level."""
    known = level.notna().to_numpy()
    rated = measured.loc[known, list(INPUTS)].to_numpy()
    return LevelModel(ProportionalOdds().fit(rated, level[known].to_numpy(np.int64)), INPUTS)


def names(table: pd.DataFrame) -> list[str]:
    """The scores of a table, the ranks first."""
    kept = [name for rank in KEPT for name in (rank, rank + PRESSED) if name in table]
    return kept + [c for c in table if c.startswith(("probability", *STARTS, OWN, "share in the"))]


def row(part: str, name: str, table: pd.DataFrame, group: pd.Series) -> dict[str, object]:
    """One score against the known intensity and, where it has levels, the raters' majority."""
    options = Options(resamples=1000)
    person, shown = table["person"], table["emotion"] != Emotion.NEUTRAL
    follows = correlations(table[name], table["intensity"], group.where(shown), person, options)
    found: dict[str, object] = {
        "part": part,
        "score": name,
        "faces": follows.count,
        "persons": follows.persons,
        **spelled("spearman", follows.spearman_within),
        **spelled("kendall", follows.kendall_within),
    }
    if f"{name} level" in table:
        level = table[f"{name} level"]
        for word, rows in (("kappa", shown | True), ("kappa_expressive", shown)):
            agrees = level_agreement(level[rows], table["level"][rows], person[rows], options)
            found |= spelled(word, agrees.quadratic_kappa)
        found["abstained"] = float(pd.isna(level).mean())
    return found


def spelled(name: str, estimate: Estimate) -> dict[str, object]:
    """An estimate as three columns."""
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


if __name__ == "__main__":
    main()
