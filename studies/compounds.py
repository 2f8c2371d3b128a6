"""Do the basic emotions that people see in a face tell which compounds others see in it?

In MDNS (Bryant et al. 2022) 1000 faces were rated twice: nine annotators rated six basic emotions
in each face, and others rated fifteen compounds in a task of its own. Each rule of
`emorank.ranking.compounds` makes compounds from the basic ratings of the first task; the script
compares them with the ratings of the second.
It uses only votes, no image and no network.

    python studies/compounds.py MDNS_FOLDER --out studies/compounds.csv

writes one row per compound and predictor. Intervals are percentile bootstraps over faces.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_predict

from emorank.answers.voting import winners
from emorank.evaluation.statistics.confusion import quadratic_kappa
from emorank.evaluation.statistics.uncertainty import Estimate, bootstrap, counts_per_cluster
from emorank.ranking.compounds import COMPOUNDS, MDNS, RULE, RULES, Compound, weaker_level
from emorank.vocabulary import Emotion

MOST = 4  # "extremely"
SEEN = 1 / MOST  # "somewhat", on average: the compound counts as seen
LEAST_RATERS = 5  # of the compounds; a face has one to nine
CUT = (1, 2, 3)  # the lowest ratings that count as Minimal, Average, Strong
ALL, WITHIN = "mean of 15", "within a face"
ALIKE, SIX, WRONG = "all six alike", "regression on six", "the other 14 pairs, on average"
HALF, CENTRED = "half of the raters", "half of the raters, centred"
OTHER = {name: f"the other {name}" for name in (HALF, CENTRED)}

Ratings = dict[str, dict[str, list[int]]]
Columns = dict[str, np.ndarray]  # predictor → (face, compound)


def main() -> None:
    """Read, compare, write, print the means."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help="folder of MDNS's annotation files")
    parser.add_argument("--out", type=Path, required=True, help="CSV to write")
    parser.add_argument("--resamples", type=int, default=1000)
    given = parser.parse_args()
    found = study(*read(given.folder), resamples=given.resamples)
    found.round(4).to_csv(given.out, index=False)
    print(found[found["compound"].isin([ALL, WITHIN])].round(3).to_string(index=False))


def read(folder: Path) -> tuple[Ratings, Ratings]:
    """The basic ratings and the compound ratings, by face."""
    names = ("primary_expression_annotations", "compound_expression_annotations")
    basic, compound = (json.loads((folder / f"{name}.json").read_text()) for name in names)
    return basic, compound


def study(basic: Ratings, compound: Ratings, *, resamples: int, seed: int = 0) -> pd.DataFrame:
    """Compare every predictor with the compound ratings.

    Returns:
        `compound` (as MDNS names it), `predictor`, `faces`, and `spearman`, `auc` and `kappa`, each
        with `_low` and `_high`; NaN where a score is not defined.
    """
    faces = [
        face
        for face, ratings in compound.items()
        if face in basic and min(map(len, ratings.values())) >= LEAST_RATERS
    ]
    rng = np.random.default_rng(seed)
    parts = {e: _means(basic, faces, word) for word in basic[faces[0]] for e in [_emotion(word)]}
    truth = np.stack([_means(compound, faces, mdns(c)) for c in COMPOUNDS], axis=1)
    columns = predictors(parts, truth)
    halves = _halves(compound, faces, rng)
    rows = _correlations(columns | halves, truth, rng, resamples)
    rows += _within(columns, halves, truth, rng, resamples)
    rows += _levels(basic, compound, faces, rng, resamples)
    return pd.DataFrame(rows).groupby(["compound", "predictor"], sort=False).first().reset_index()


def predictors(parts: dict[Emotion, np.ndarray], truth: np.ndarray) -> Columns:
    """What the basic ratings say of each compound: every rule, and what it has to beat."""
    columns: Columns = {
        name: np.stack([rule(*(parts[part] for part in c.parts)) for c in COMPOUNDS], axis=1)
        for name, rule in RULES.items()
    }
    everything = np.stack(list(parts.values()), axis=1)
    columns[ALIKE] = np.repeat(everything.mean(1)[:, None], len(COMPOUNDS), axis=1)
    folds = KFold(10, shuffle=True, random_state=0)
    ridge = RidgeCV(alphas=np.logspace(-3, 3, 13))
    columns[SIX] = np.stack(
        [
            cross_val_predict(ridge, everything, truth[:, j], cv=folds)
            for j in range(truth.shape[1])
        ],
        axis=1,
    )
    return columns


def mdns(compound: Compound) -> str:
    """A compound's column in MDNS."""
    return next(name for name, who in compound.also if who == MDNS)


def _emotion(word: str) -> Emotion:
    return Emotion.FEAR if word == "fear" else Emotion.parse(word)


def _means(ratings: Ratings, faces: Sequence[str], word: str) -> np.ndarray:
    return np.array([np.mean(ratings[face][word]) for face in faces]) / MOST


def _halves(compound: Ratings, faces: Sequence[str], rng: np.random.Generator) -> Columns:
    """Half of a face's compound raters, and in the place of the truth the other half.

    "Centred" takes off what a rater gives to all compounds of a face: annotators use the scale so
    differently that who happened to look outweighs what there was to see.
    """
    first, second = [], []
    for face in faces:
        ratings = np.array([compound[face][mdns(c)] for c in COMPOUNDS]) / MOST
        order = rng.permutation(ratings.shape[1])
        half = len(order) // 2
        both = np.stack([ratings, ratings - ratings.mean(0)])
        first.append(both[:, :, order[:half]].mean(2))
        second.append(both[:, :, order[half:]].mean(2))
    one, other = np.stack(first, axis=1), np.stack(second, axis=1)
    return {
        **dict(zip((HALF, CENTRED), one, strict=True)),
        **dict(zip((OTHER[HALF], OTHER[CENTRED]), other, strict=True)),
    }


def _within(
    columns: Columns, halves: Columns, truth: np.ndarray, rng: np.random.Generator, resamples: int
) -> list[dict[str, object]]:
    """Which of the fifteen is the strongest in a face? Raters' habits cancel here.

    Spearman over the compounds of each face, averaged over the faces; against the order that is
    the usual one of the other faces.
    """
    count = len(truth)
    usual = (truth.sum(0) - truth) / (count - 1)
    pairs = {name: (values, truth) for name, values in columns.items() if name != ALIKE}
    pairs |= {"the usual order": (usual, truth), HALF: (halves[HALF], halves[OTHER[HALF]])}
    again = rng.integers(0, count, (resamples, count))
    rows = []
    for name, (values, target) in pairs.items():
        ranks = (_standard(rankdata(side, axis=1).T) for side in (values, target))
        per_face = np.prod([*ranks], axis=0).mean(0)
        low, high = np.nanquantile(np.nanmean(per_face[again], axis=1), (0.025, 0.975))
        row = {"compound": WITHIN, "predictor": name, "faces": int(np.isfinite(per_face).sum())}
        mean = float(np.nanmean(per_face))
        rows.append(row | {"spearman": mean, "spearman_low": low, "spearman_high": high})
    return rows


def _correlations(
    columns: Columns, truth: np.ndarray, rng: np.random.Generator, resamples: int
) -> list[dict[str, object]]:
    """Spearman and AUC of every predictor and compound, the other pairs, and the rules' gaps."""
    names = [name for name in columns if name not in OTHER.values()]
    once = _scores(columns, truth, names)
    count = len(truth)
    draws = [
        _scores({name: values[rows] for name, values in columns.items()}, truth[rows], names)
        for rows in rng.integers(0, count, (resamples, count))
    ]
    rows = []
    for name in once:
        value, again = once[name], np.array([draw[name] for draw in draws])
        both = np.concatenate([value, value.mean(1, keepdims=True)], axis=1)
        again = np.concatenate([again, again.mean(2, keepdims=True)], axis=2)
        low, high = np.quantile(again, (0.025, 0.975), axis=0)
        for j, compound in enumerate([*map(mdns, COMPOUNDS), ALL]):
            row: dict[str, object] = {"compound": compound, "predictor": name, "faces": count}
            for i, score in enumerate(("spearman", "auc")):
                row |= {score: both[i, j], f"{score}_low": low[i, j], f"{score}_high": high[i, j]}
            rows.append(row)
    return rows


def _scores(columns: Columns, truth: np.ndarray, names: Sequence[str]) -> Columns:
    """Spearman and AUC as (2, compound), of each predictor, of wrong pairs, and of gaps."""
    target, seen = _standard(rankdata(truth, axis=0)), truth >= SEEN
    result: Columns = {}
    for name in names:
        ranks = rankdata(columns[name], axis=0)
        if name in OTHER:
            other = _standard(rankdata(columns[OTHER[name]], axis=0))
            spearman = (_standard(ranks) * other).mean(0)
            result[name] = np.stack([spearman, np.full_like(spearman, np.nan)])
            continue
        result[name] = np.stack([(_standard(ranks) * target).mean(0), _auc(ranks, seen)])
        if name == RULE:
            every = _standard(ranks).T @ target / len(truth)
            rest = (every.sum(0) - every.diagonal()) / (len(every) - 1)
            result[WRONG] = np.stack([rest, np.full_like(rest, np.nan)])
    ours = result[RULE]
    for name in (*RULES, ALIKE, SIX, WRONG):
        if name != RULE:
            result[f"{RULE} less {name}"] = ours - result[name]
    return result


def _standard(ranks: np.ndarray) -> np.ndarray:
    centred = ranks - ranks.mean(0)
    spread = centred.std(0)
    return np.divide(centred, spread, out=np.full_like(centred, np.nan), where=spread > 0)


def _auc(ranks: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """From ranks (Mann and Whitney 1947); NaN where all or none are seen."""
    yes, no = seen.sum(0), (~seen).sum(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return ((ranks * seen).sum(0) - yes * (yes + 1) / 2) / (yes * no)


def _levels(
    basic: Ratings,
    compound: Ratings,
    faces: Sequence[str],
    rng: np.random.Generator,
    resamples: int,
) -> list[dict[str, object]]:
    """Quadratic kappa of levels: the weaker or stronger part's against the raters' majority."""
    parts = {_emotion(word): _majority(basic, faces, word) for word in basic[faces[0]]}
    rules: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
        "weaker level": weaker_level,
        "mean level, where both are": lambda a, b: np.where(np.minimum(a, b) > 0, (a + b) // 2, 0),
        "mean level": lambda a, b: (a + b) // 2,
        "stronger level": np.maximum,
    }
    rows = []
    for name, rule in rules.items():
        tables = []
        for c in COMPOUNDS:
            levels = rule(*(parts[part] for part in c.parts))
            true = _majority(compound, faces, mdns(c))
            tables.append(counts_per_cluster(true, levels, (4, 4), np.arange(len(faces))))
            rows.append(_kappa_row(mdns(c), name, tables[-1], rng, resamples))
        rows.append(_kappa_row(ALL, name, np.sum(tables, axis=0), rng, resamples))
    return rows


def _majority(ratings: Ratings, faces: Sequence[str], word: str) -> np.ndarray:
    """The majority's place in LEVELS, by the cut."""
    counts = np.zeros((len(faces), len(CUT) + 1), np.int64)
    for i, face in enumerate(faces):
        for rating in ratings[face][word]:
            counts[i, sum(rating >= low for low in CUT)] += 1
    return winners(counts)[0]


def _kappa_row(
    compound: str, name: str, tables: np.ndarray, rng: np.random.Generator, resamples: int
) -> dict[str, object]:
    found: Estimate = bootstrap(
        {"kappa": quadratic_kappa}, tables, rng, unit="faces", resamples=resamples
    )["kappa"]
    return {
        "compound": compound,
        "predictor": name,
        "faces": len(tables),
        "kappa": found.value,
        "kappa_low": found.low,
        "kappa_high": found.high,
    }


if __name__ == "__main__":
    main()
