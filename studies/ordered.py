"""Does order learnt without raters, or the rest of a sequence, follow intensity better?

    python studies/ordered.py london_faces --out studies/ordered.csv

`london_faces` has people neutral and smiling (folders neutral/ and happiness/, one file per person
and folder under the same name). Two ways beyond the contrast to neutral are tried, on persons whom
nothing has learnt from:

- "ordered": pairs of one person's pictures, of which one shows more of the expression: dissolves of
  the neutral and the strongest picture (25, 50, 75 %), or the frames of sequences. A linear score
  on the backbone's features learns to put them in order (logistic loss of the differences, as
  RankSVM). It starts from the contrast; what it adds is one direction for all emotions and one for
  each, penalised, with the strength that orders most pairs of unseen persons of the training part.
- "sequences": the contrast smoothed along sequences, and less the person's own neutral level.

Rows: Spearman with the known intensity of the sample's faces, within emotion (and fold, because two
networks have no common scale), or the area under the curve of smiling against neutral faces; 95 %
intervals over persons, also of the difference from the contrast of the same row's start.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.interpolate import RBFInterpolator
from scipy.ndimage import map_coordinates
from scipy.optimize import minimize
from scipy.special import expit

from emorank import images
from emorank.datasets import sample
from emorank.datasets.splits import person_folds
from emorank.evaluation.statistics.correlation import auc, spearman
from emorank.evaluation.statistics.uncertainty import resampled
from emorank.faces import TEMPLATE, similarity
from emorank.framing import faces_in, framed
from emorank.networks import fit_head, logistic
from emorank.networks.backbones import BACKBONES, on_backbone
from emorank.networks.normalisation import to_batch
from emorank.ranking.temporal import own_neutral, smooth
from emorank.vocabulary import Emotion

EMOTIONS = ("anger", "disgust", "fear", "happy", "sadness", "surprise")
CLASSES = [Emotion(word) for word in ("neutral", *EMOTIONS)]
READY_BACKBONES = [name for name, about in BACKBONES.items() if about.layers]
STRENGTHS = (1.0, 100.0, 10_000.0)
MIXED = (0.25, 0.5, 0.75)
LEARNT = {
    "dissolves": ("neutral", "dissolve", "full"),
    "warped dissolves": ("neutral", "warped", "full"),
    "frames": ("neutral", "frame", "full"),
}


def main() -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("london", type=Path, help="folder with neutral/ and happiness/")
    parser.add_argument("--backbones", nargs="*", default=["expression"], choices=READY_BACKBONES)
    parser.add_argument("--out", type=Path, required=True, help="CSV to write")
    given = parser.parse_args()
    rows = []
    for backbone in given.backbones:
        for row in measured(backbone, given.london):
            rows.append({"backbone": backbone, **row})
            print(rows[-1], flush=True)
            pd.DataFrame(rows).round(3).to_csv(given.out, index=False)


def measured(backbone: str, london: Path) -> Iterator[dict[str, Any]]:
    """All rows of a backbone."""
    faces, x = pictures(backbone, london)
    rendered = (faces["set"] == "sample").to_numpy()
    fold = np.where(rendered, 0, -1)
    person = faces["person"][rendered]
    fold[rendered] = person_folds(person, person, 5, np.random.default_rng(0))
    ready = contrasts(x @ fit_head._ready_classifier(CLASSES, x.shape[1]))
    for start in ("ready network", "head"):
        for learnt in LEARNT:
            plain, better = np.zeros(len(faces)), np.zeros(len(faces))
            for k in range(5):
                learning = rendered & (fold != k)
                base = ready if start != "head" else head(x, faces, learning, learnt)
                score = ordered(x, base, faces, learning, learnt)
                plain[fold == k], better[fold == k] = (
                    asked(s, faces)[fold == k] for s in (base, score)
                )
            about = {"part": "ordered", "start": start, "learnt": f"sample, {learnt}"}
            yield about | within(faces, fold, {"contrast": plain, "score": better})
        for learnt in LEARNT:
            base = ready if start != "head" else head(x, faces, rendered, learnt)
            score = ordered(x, base, faces, rendered, learnt)
            about = {"part": "ordered", "start": start, "learnt": f"sample, {learnt}"}
            yield about | smiles(faces, base, score)
        for learnt in ("dissolves", "warped dissolves"):
            base = ready if start != "head" else head(x, faces, ~rendered, learnt)
            score = ordered(x, base, faces, ~rendered, learnt)
            about = {"part": "ordered", "start": start, "learnt": f"london, {learnt}"}
            happy = faces["emotion"].where(faces["emotion"] == "happy")
            both = {"contrast": asked(base, faces), "score": asked(score, faces)}
            yield about | within(faces.assign(emotion=happy), np.where(rendered, 0, -1), both)
        base = np.zeros_like(ready)
        for k in range(5):
            learning = rendered & (fold != k)
            base[fold == k] = (ready if start != "head" else head(x, faces, learning, "frames"))[
                fold == k
            ]
        for name, score in along(base, faces).items():
            about = {"part": "sequences", "start": start, "learnt": name}
            yield about | within(faces, fold, {"contrast": asked(base, faces), "score": score})


def pictures(backbone: str, london: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """All faces and dissolves: a row each, and their features."""
    about = BACKBONES[backbone]
    size, width = about.size or 0, about.width
    rows: list[dict[str, Any]] = []
    pixels: list[np.ndarray] = []

    def add(face: np.ndarray, **row: Any) -> None:
        rows.append(row)
        pixels.append(face)

    def mix(calm: tuple[Any, Any], full: tuple[Any, Any], **row: Any) -> None:
        for share in MIXED:
            mixed = (1 - share) * calm[0] + share * full[0]
            add(_bytes(mixed), kind="dissolve", order=share, **row)
            if calm[1] is not None and full[1] is not None:
                between = (1 - share) * calm[1] + share * full[1]
                mixed = (1 - share) * warp(*calm, between) + share * warp(*full, between)
                add(_bytes(mixed), kind="warped", order=share, **row)

    for path in sorted((london / "neutral").glob("*.jpg")):
        row = {"set": "london", "person": path.stem, "emotion": "happy"}
        calm, smile = (
            cut(images.read(london / word / path.name), size, width, aligned=False)
            for word in ("neutral", "happiness")
        )
        add(calm[0], kind="neutral", order=0.0, **row | {"emotion": "neutral"})
        add(smile[0], kind="full", order=1.0, **row)
        mix(calm, smile, **row)
    shipped = sample.load()
    for person, own in shipped.table.groupby("person"):
        own = own.sort_values(["emotion", "frame"])
        calm = None
        for emotion in ("neutral", *EMOTIONS):
            sequence = own[own["emotion"] == emotion]
            for k, one in enumerate(sequence.itertuples()):
                face = cut(images.read(shipped.root / one.image), size, width, aligned=True)
                calm = face if calm is None else calm
                last = emotion != "neutral" and k == len(sequence) - 1
                kind = "neutral" if emotion == "neutral" else "full" if last else "frame"
                row = {"set": "sample", "person": person, "emotion": emotion}
                known = {"intensity": one.intensity, "order": one.intensity, "frame": one.frame}
                add(face[0], kind=kind, **row, **known)
            if emotion != "neutral":
                mix(calm, face, **row)  # type: ignore[arg-type]
    net = on_backbone(backbone, len(CLASSES))
    with torch.inference_mode():
        features = [
            net.trunk(to_batch(pixels[k : k + 32], about.normalisation), net.end).flatten(1)
            for k in range(0, len(pixels), 32)
        ]
    return pd.DataFrame(rows), torch.cat(features).double().numpy()


def cut(rgb: np.ndarray, size: int, width: float, aligned: bool) -> tuple[np.ndarray, Any]:
    """The face as the backbone sees it, and its five landmarks there, if they are found."""
    found = faces_in(rgb, "face", nearest=True)
    marks = np.asarray(found[0].landmarks, np.float64).reshape(5, 2) if found else None
    if aligned:
        inner = min(size, round(size / width))
        if marks is not None:
            marks = marks * inner / len(rgb) + (size - inner) // 2
        return framed(rgb, None, size, width), marks
    if marks is None:
        raise SystemExit("no face was found in one of the photographs")
    move = similarity(marks, (0.5 + (TEMPLATE - 0.5) / width) * size)
    return framed(rgb, marks, size, width), marks @ move[:, :2].T + move[:, 2]


def warp(face: np.ndarray, marks: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The face with its landmarks moved to the target and its border kept (thin plates)."""
    last = len(face) - 1
    border = [[x, y] for x in (0, last / 2, last) for y in (0, last / 2, last)]
    fixed = np.array([place for place in border if place != [last / 2, last / 2]])
    inverse = RBFInterpolator(np.vstack([target, fixed]), np.vstack([marks, fixed]))
    y, x = np.mgrid[: last + 1, : last + 1]
    from_ = inverse(np.column_stack([x.ravel(), y.ravel()]).astype(float))
    places = [from_[:, 1].reshape(x.shape), from_[:, 0].reshape(x.shape)]
    channels = [
        map_coordinates(face[..., c].astype(float), places, order=1, mode="nearest")
        for c in range(3)
    ]
    return np.stack(channels, axis=-1)


def contrasts(logits: np.ndarray) -> np.ndarray:
    """Of each of `EMOTIONS`, from logits of `CLASSES`; constants do not matter here."""
    return logits[:, 1:] - logits[:, :1]


def head(x: np.ndarray, faces: pd.DataFrame, learning: np.ndarray, learnt: str) -> np.ndarray:
    """The contrasts of a head that was fitted on the labelled pictures, as a study fits it."""
    kinds = ("neutral", "full", *(["frame"] if learnt == "frames" else []))
    use = np.flatnonzero(learning & faces["kind"].isin(kinds))
    label = faces["emotion"].iloc[use].map([str(one) for one in CLASSES].index).to_numpy(np.int64)
    person = faces["person"].iloc[use]
    given = x @ fit_head._ready_classifier(CLASSES, x.shape[1])
    count = np.bincount(label, minlength=len(CLASSES))
    weights = np.where(count > 0, len(label) / (np.maximum(count, 1) * (count > 0).sum()), 0.0)
    fitted = logistic.fit(x[use], label, person_folds(person, person, 5), given[use], weights)
    return contrasts(fitted.logits(x, given))


def ordered(
    x: np.ndarray, base: np.ndarray, faces: pd.DataFrame, learning: np.ndarray, learnt: str
) -> np.ndarray:
    """The scores of all faces for each emotion, learnt from pairs."""
    rows = faces[learning & faces["kind"].isin(LEARNT[learnt])]
    person = rows["person"]
    fold = person_folds(person, person, 3)
    right = np.zeros((3, len(STRENGTHS)))
    for k in range(3):
        scaled, weak, strong, emotion = of_pairs(x, rows[fold != k])
        _, a, b, e = of_pairs(x, rows[fold == k])
        for j, strength in enumerate(STRENGTHS):
            score = learn(scaled, base, weak, strong, emotion, strength)
            right[k, j] = (score[b, e] > score[a, e]).mean()
    scaled, weak, strong, emotion = of_pairs(x, rows)
    return learn(scaled, base, weak, strong, emotion, STRENGTHS[int(right.mean(0).argmax())])


def of_pairs(x: np.ndarray, rows: pd.DataFrame) -> tuple[np.ndarray, ...]:
    """Features standardised as those rows; the weaker and the stronger of each pair; its emotion.

    Pairs are of one person; neutral faces count for every emotion.
    """
    pairs = []
    for number, emotion in enumerate(EMOTIONS):
        some = rows[rows["emotion"].isin([emotion, "neutral"])]
        for _, own in some.groupby("person"):
            place, order = own.index.to_numpy(), own["order"].to_numpy()
            if (own["emotion"] == emotion).any():
                weak, strong = np.nonzero(order[:, None] < order[None])
                pairs += [(place[a], place[b], number) for a, b in zip(weak, strong, strict=True)]
    weak, strong, which = np.array(pairs).T
    return logistic._Scale(torch.from_numpy(x[rows.index]))(torch.from_numpy(x)).numpy(), *(
        weak,
        strong,
        which,
    )


def learn(
    x: np.ndarray,
    base: np.ndarray,
    weak: np.ndarray,
    strong: np.ndarray,
    emotion: np.ndarray,
    strength: float,
) -> np.ndarray:
    """Scores = share · base + x · (common + own direction), by the logistic loss of pairs."""
    difference, before = x[strong] - x[weak], base[strong, emotion] - base[weak, emotion]
    which = [np.flatnonzero(emotion == e) for e in range(len(EMOTIONS))]
    weight = 1 / np.bincount(emotion, minlength=len(EMOTIONS))[emotion] / len(np.unique(emotion))
    shape = (1 + len(EMOTIONS), x.shape[1])

    def loss(free: np.ndarray) -> tuple[float, np.ndarray]:
        parts = free[:-1].reshape(shape)
        margin = free[-1] * before
        for e, rows in enumerate(which):
            margin[rows] += difference[rows] @ (parts[0] + parts[1 + e])
        value = (weight * np.logaddexp(0, -margin)).sum() + (parts**2).sum() / (2 * strength)
        slope = -weight * expit(-margin)
        own = np.array([slope[rows] @ difference[rows] for rows in which])
        by_part = np.vstack([own.sum(0), own]) + parts / strength
        return float(value), np.append(by_part.ravel(), slope @ before)

    first = np.append(np.zeros(shape[0] * shape[1]), 1.0)
    found = minimize(loss, first, jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    parts = found[:-1].reshape(shape)
    score: np.ndarray = found[-1] * base + x @ (parts[0] + parts[1:]).T
    return score


def along(base: np.ndarray, faces: pd.DataFrame) -> dict[str, np.ndarray]:
    """The contrast of each frame's emotion along its sequence, by each way."""
    shown = faces[faces["set"].eq("sample") & faces["kind"].isin(["frame", "full"])]
    calm = faces["set"].eq("sample") & faces["kind"].eq("neutral")
    own = faces[faces["set"].eq("sample") & faces["kind"].isin(["frame", "full", "neutral"])]
    score = asked(base, faces)
    smoothed = score.copy()
    for _, frames in shown.groupby(["person", "emotion"]):
        place = frames.index.to_numpy()
        smoothed[place] = smooth(score[place], frames["frame"].to_numpy(np.float64))
    known, lowest = np.zeros(len(faces)), np.zeros(len(faces))
    for person, frames in own.groupby("person"):
        level = base[np.flatnonzero(calm & (faces["person"] == person))]
        every = base[frames.index.to_numpy()]
        for e, emotion in enumerate(EMOTIONS):
            place = frames.index[frames["emotion"] == emotion]
            known[place], lowest[place] = np.median(level[:, e]), own_neutral(every[:, e])
    return {
        "smoothed": smoothed,
        "own neutral out, known frames": score - known,
        "own neutral out, lowest fifth": score - lowest,
        "smoothed, own neutral out, known frames": smoothed - known,
        "smoothed, own neutral out, lowest fifth": smoothed - lowest,
    }


def asked(score: np.ndarray, faces: pd.DataFrame) -> np.ndarray:
    """The score of the emotion that each face shows; of neutral ones the first."""
    place = faces["emotion"].map({word: k for k, word in enumerate(EMOTIONS)}).fillna(0)
    return np.asarray(score[np.arange(len(faces)), place.to_numpy(np.int64)])


def within(faces: pd.DataFrame, fold: np.ndarray, scores: dict[str, np.ndarray]) -> dict[str, Any]:
    """Spearman with the known intensity within emotion and fold, of the sample's frames."""
    shown = faces["kind"].isin(["frame", "full"]) & (fold >= 0) & faces["emotion"].notna()
    use = np.flatnonzero(shown)
    truth = faces["intensity"].to_numpy()[use]
    group = pd.factorize(faces["emotion"].iloc[use].astype(str) + fold[use].astype(str))[0]
    person = pd.factorize(faces["person"].iloc[use])[0]

    def statistic(draws: np.ndarray, score: np.ndarray) -> np.ndarray:
        weights = draws[:, person]
        sums, mass = np.zeros(len(draws)), np.zeros(len(draws))
        for g in range(group.max() + 1):
            inside = group == g
            rho = spearman(score[use][inside], truth[inside], weights[:, inside])
            size = np.where(np.isfinite(rho), weights[:, inside].sum(1), 0)
            sums, mass = sums + size * np.nan_to_num(rho), mass + size
        return np.asarray(sums / mass)

    return {"measure": "Spearman", "faces": len(use)} | compared(statistic, scores, person)


def smiles(faces: pd.DataFrame, base: np.ndarray, score: np.ndarray) -> dict[str, Any]:
    """The area under the curve of "happy", smiling against neutral photographs."""
    here = faces["set"].eq("london")
    calm, smile = (np.flatnonzero(here & faces["kind"].eq(kind)) for kind in ("neutral", "full"))
    names = pd.factorize(faces["person"])[0]
    codes, person = np.unique(names[np.concatenate([smile, calm])], return_inverse=True)
    cluster = person[: len(smile)], person[len(smile) :]
    k = EMOTIONS.index("happy")

    def statistic(draws: np.ndarray, values: np.ndarray) -> np.ndarray:
        return np.asarray(auc(values[smile], values[calm], *cluster, len(codes))(draws))

    both = {"contrast": base[:, k], "score": score[:, k]}
    found = compared(statistic, both, person)
    return {"measure": "AUC, London", "faces": len(smile) + len(calm)} | found


def compared(
    statistic: Callable[[np.ndarray, np.ndarray], np.ndarray],
    scores: dict[str, np.ndarray],
    person: np.ndarray,
) -> dict[str, Any]:
    """Each score, and how much the second is above the first, with intervals over persons."""

    def every(draws: np.ndarray) -> dict[str, np.ndarray]:
        found = {name: statistic(draws, score) for name, score in scores.items()}
        return found | {"gain": found["score"] - found["contrast"]}

    persons = int(person.max()) + 1
    estimates = resampled(every, np.ones(persons, np.int64), np.random.default_rng(0))
    row: dict[str, Any] = {"persons": persons}
    for name, estimate in estimates.items():
        row |= {name: estimate.value, f"{name} low": estimate.low, f"{name} high": estimate.high}
    return row


def _bytes(face: np.ndarray) -> np.ndarray:
    return np.rint(face).clip(0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
