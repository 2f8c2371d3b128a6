"""Training, validation and test part: by person, or at random over images as in the paper.

20 % of the images are tested, and 20 % of the rest validate (section III of the paper); both are
stratified by emotion. *By person*: images of one person, of one sequence, and the faces in one
image are in one part. If the person of an image is unknown, only its sequence is kept together; if
that is unknown too, the image is alone. *Random* is the paper's way: images are drawn one by one,
so a person or sequence can be in several parts (see `leakage.py`).
"""

from itertools import combinations

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from emorank.errors import DatasetError, PlanError
from emorank.vocabulary import Emotion

RULES = ("person", "random")
PARTS = ("train", "validation", "test")

_UNKNOWN = len(Emotion)  # the stratum of images without a label, beside those of the emotions
_TRIES = 32  # random starts for small sets; with many groups all starts do about equally well
_STEPS = 200
# Costs of a part without an image, of an emotion missing in training, and in another part.
_EMPTY, _UNTRAINED, _UNTESTED = 1e6, 1e4, 1e2


def split(
    table: pd.DataFrame,
    by: str = "person",
    test: float = 0.2,
    validation: float = 0.2,
    seed: int | np.random.Generator = 0,
) -> pd.DataFrame:
    """Give every image a part.

    The same seed gives the same split, in whatever order the rows are. Every part holds an image.
    The training part holds every emotion; the other parts do if there are enough groups.

    Args:
        table: faces with columns image, emotion, and person and sequence where known.
        by: "person", or "random" over images.
        test: share of the whole in the test part, above 0 and below 1.
        validation: share of the rest in the validation part, above 0 and below 1.
        seed: of the random generator, or the generator.

    Returns:
        Columns image and part (of `PARTS`), one row per row of `table`, in its order.

    Raises:
        DatasetError: there are fewer than three persons or images, an image is there twice, or an
            emotion can be in the training part only if another part is left empty.
        PlanError: there is no such rule, or a share is outside (0, 1).
    """
    if by not in RULES:
        raise PlanError(f"split by '{by}'; expected one of {', '.join(RULES)}")
    for name, share in (("test", test), ("validation", validation)):
        if not 0 < share < 1:
            raise PlanError(f"{name} is {share}; expected a share above 0 and below 1")
    if table["image"].duplicated().any():
        twice = table.loc[table["image"].duplicated(), "image"].iloc[0]
        raise DatasetError(f"image '{twice}' is in the table more than once; expected one row each")
    rng = np.random.default_rng(seed)
    shares = np.array([(1 - test) * (1 - validation), (1 - test) * validation, test])
    order = np.argsort(table["image"].to_numpy(dtype=str), kind="stable")
    ordered = table.iloc[order]
    strata = _strata(ordered)
    groups = groups_of(ordered) if by == "person" else np.arange(len(ordered))
    _check_enough(ordered, groups, by)
    counts = np.zeros((groups.max() + 1, _UNKNOWN + 1), dtype=np.int64)
    np.add.at(counts, (groups, strata), 1)
    parts = _assign(counts, shares, rng)
    _check_trained(ordered, counts, parts, by)
    words = np.empty(len(table), dtype=object)
    words[order] = np.array(PARTS, dtype=object)[parts[groups]]
    images = table["image"].to_numpy(dtype=object)
    return pd.DataFrame({"image": images, "part": words}).astype(pd.StringDtype())


def person_folds(
    persons: pd.Series, images: pd.Series, count: int, rng: np.random.Generator | None = None
) -> Int[np.ndarray, " images"]:
    """Number the fold of each image, 0 … count − 1; no person is in two folds.

    An image of an unknown person counts as a person of its own.

    Args:
        persons: missing where unknown.
        images: what tells images of unknown persons apart.
        count: of the folds, at most the number of persons.
        rng: draws the persons, so that folds have about as many persons each; None for folds of
            about as many images each, which nothing random decides.
    """
    groups = persons.astype(object).where(persons.notna(), images)
    if rng is not None:
        drawn = np.array_split(rng.permutation(np.sort(groups.unique().astype(str))), count)
        number = {person: k for k, part in enumerate(drawn) for person in part}
        return groups.astype(str).map(number).to_numpy(np.int64)
    from sklearn.model_selection import GroupKFold  # loaded late: half a second

    result = np.empty(len(groups), np.int64)
    for k, (_, members) in enumerate(GroupKFold(count).split(groups, groups=groups)):
        result[members] = k
    return result


def groups_of(table: pd.DataFrame) -> Int[np.ndarray, " images"]:
    """Number the sets of images that must stay together, 0 … groups − 1.

    Images of one person, images of one sequence, and faces of one picture (`a.jpg`, `a.jpg#2`) are
    linked. Images that are linked directly or through others are one group.
    """
    from scipy.sparse import coo_array  # loaded late: half a second
    from scipy.sparse.csgraph import connected_components

    n = len(table)
    rows, columns, nodes = [np.arange(n)], [np.arange(n)], n
    picture = table["image"].astype(pd.StringDtype()).str.replace(r"#\d+$", "", regex=True)
    for name in ("person", "sequence", "picture"):
        values = picture if name == "picture" else table.get(name)
        if values is None:
            continue
        codes, uniques = pd.factorize(values)
        known = np.flatnonzero(codes >= 0)
        rows.append(known)
        columns.append(nodes + codes[known])
        nodes += len(uniques)
    row, column = np.concatenate(rows), np.concatenate(columns)
    links = coo_array((np.ones(len(row), dtype=np.int8), (row, column)), shape=(nodes, nodes))
    _, labels = connected_components(links, directed=False)
    return pd.factorize(labels[:n])[0].astype(np.int64)


def _strata(table: pd.DataFrame) -> Int[np.ndarray, " images"]:
    codes = {emotion.value: index for index, emotion in enumerate(Emotion)}
    return np.array(
        [_UNKNOWN if pd.isna(word) else codes[word] for word in table["emotion"]], dtype=np.int64
    )


def _assign(
    counts: Int[np.ndarray, "groups strata"],
    shares: Float[np.ndarray, "3"],
    rng: np.random.Generator,
) -> Int[np.ndarray, " groups"]:
    """Give every group a part so that the parts hold the wanted shares of each stratum.

    Large groups take the part that needs them most, in random order; groups of one image then fill
    the parts exactly. The best of several tries is improved by moving single groups. (Sorting
    groups by size, as scikit-learn's StratifiedGroupKFold does, would put the largest persons into
    the training part under every seed.)
    """
    single = counts.sum(axis=1) == 1
    large = np.flatnonzero(~single)
    tries = max(1, min(_TRIES, 4000 // max(1, len(large))))
    best: tuple[float, np.ndarray] | None = None
    for _ in range(tries):
        parts = np.zeros(len(counts), dtype=np.int64)
        _deal_large(counts, large, shares, parts, rng)
        _deal_single(counts, np.flatnonzero(single), large, shares, parts, rng)
        cost = float(_cost(_totals(counts, parts), shares))
        if best is None or cost < best[0]:
            best = (cost, parts)
    assert best is not None  # noqa: S101 - tries is at least 1; for mypy
    parts = _improve(counts, shares, best[1])
    if _cost(_totals(counts, parts), shares) >= _UNTRAINED:
        parts = _improve(counts, shares, _spare_two(counts, parts))
    return parts


def _spare_two(counts: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Two groups that the training part can do without, if any: one to validate, one to test.

    Single moves do not always lead there: with few persons, two of them may have to change places.
    """
    totals = counts.sum(axis=0)
    for a, b in combinations(range(len(counts)), 2):
        rest = totals - counts[a] - counts[b]
        if rest.any() and (rest[:_UNKNOWN] > 0)[totals[:_UNKNOWN] > 0].all():
            parts = np.zeros_like(parts)
            parts[[a, b]] = 1, 2
            break
    return parts


def _deal_large(
    counts: np.ndarray,
    large: np.ndarray,
    shares: np.ndarray,
    parts: np.ndarray,
    rng: np.random.Generator,
) -> None:
    totals = counts.sum(axis=0)
    weights = 1.0 / np.maximum(totals, 1)
    lacking = shares[:, None] * totals  # images of each stratum that each part still needs
    for group in rng.permutation(large):
        # The part whose squared distance from its share becomes smaller by most.
        gain = ((2 * lacking - counts[group]) * counts[group] * weights).sum(axis=1)
        part = int(np.argmax(gain))
        parts[group] = part
        lacking[part] -= counts[group]


def _deal_single(
    counts: np.ndarray,
    single: np.ndarray,
    large: np.ndarray,
    shares: np.ndarray,
    parts: np.ndarray,
    rng: np.random.Generator,
) -> None:
    totals = counts.sum(axis=0)
    placed = _totals(counts[large], parts[large])
    strata = counts[single].argmax(axis=1)
    for stratum in np.unique(strata):
        members = rng.permutation(single[strata == stratum])
        wanted = np.maximum(shares * totals[stratum] - placed[:, stratum], 0)
        numbers = _numbers(len(members), wanted, lone=bool(totals[stratum] == len(members)))
        parts[members] = np.repeat(np.arange(len(PARTS)), numbers)


def _numbers(n: int, wanted: np.ndarray, lone: bool) -> np.ndarray:
    """Divide n into three whole numbers in the wanted proportion, by largest remainders.

    If a stratum has no other images (`lone`), no part gets none as long as there are images:
    training comes first, then the test part, then validation.
    """
    exact = wanted / wanted.sum() * n if wanted.sum() > 0 else np.array([n, 0.0, 0.0])
    numbers = np.floor(exact).astype(np.int64)
    for part in np.argsort(-(exact - numbers), kind="stable")[: n - numbers.sum()]:
        numbers[part] += 1
    if lone:
        for part in (0, 2, 1)[:n]:
            if numbers[part] == 0:
                numbers[np.argmax(numbers)] -= 1
                numbers[part] += 1
    return np.asarray(numbers)


def _improve(counts: np.ndarray, shares: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Move single groups between parts as long as that lowers the cost."""
    parts = parts.copy()
    kinds, kind = np.unique(counts, axis=0, return_inverse=True)
    kind = kind.reshape(-1)  # NumPy 2.0 gave it the shape of its input
    totals = _totals(counts, parts)
    cost = float(_cost(totals, shares))
    for _ in range(_STEPS):
        # Groups with the same numbers of images can replace each other: one of each kind is tried.
        present = np.zeros((len(kinds), len(PARTS)), dtype=bool)
        present[kind, parts] = True
        index, source = np.nonzero(present)
        moves = [(i, s, t) for i, s in zip(index, source, strict=True) for t in {0, 1, 2} - {s}]
        which, from_, to = np.array(moves).T
        moved, rows = np.repeat(totals[None], len(moves), axis=0), np.arange(len(moves))
        moved[rows, from_] -= kinds[which]
        moved[rows, to] += kinds[which]
        costs = _cost(moved, shares)
        best = int(costs.argmin())
        if costs[best] >= cost - 1e-12:
            break
        cost, totals = float(costs[best]), moved[best]
        group = np.flatnonzero((kind == which[best]) & (parts == from_[best]))[0]
        parts[group] = to[best]
    return parts


def _totals(counts: np.ndarray, parts: np.ndarray) -> Int[np.ndarray, "3 strata"]:
    totals = np.zeros((len(PARTS), counts.shape[1]), dtype=np.int64)
    np.add.at(totals, parts, counts)
    return totals


def _cost(totals: Int[np.ndarray, "*splits 3 strata"], shares: np.ndarray) -> np.ndarray:
    """Return the squared distance of each split from its shares, with costs for what is missing."""
    whole = np.maximum(totals.sum(axis=-2, keepdims=True), 1)
    there = (totals.sum(axis=-2) > 0)[..., None, :]
    off = (totals / whole - shares[:, None]) ** 2 * there
    lacking = ((totals == 0) & there)[..., :_UNKNOWN].sum(axis=-1)
    empty = (totals.sum(axis=-1) == 0).sum(axis=-1)
    untested = lacking[..., 1] + lacking[..., 2]
    penalty = _EMPTY * empty + _UNTRAINED * lacking[..., 0] + _UNTESTED * untested
    return np.asarray(off.sum(axis=(-2, -1)) + penalty)


def _check_enough(table: pd.DataFrame, groups: np.ndarray, by: str) -> None:
    count = len(np.unique(groups))
    if count >= len(PARTS):
        return
    if by == "random" or len(table) < len(PARTS):
        raise DatasetError(
            f"a split needs at least 3 images, one for each of {', '.join(PARTS)}; found "
            f"{len(table)}"
        )
    persons = table.get("person")
    what = "person" if persons is not None and persons.notna().any() else "sequence"
    raise DatasetError(
        f"a split by person needs at least 3 persons, one for each of {', '.join(PARTS)}; found "
        f"{count} {what}{'s' if count != 1 else ''} in {len(table)} images; split by='random' "
        "(in a plan split.by=random; leakage will be reported) or give a manifest with persons"
    )


def _check_trained(table: pd.DataFrame, counts: np.ndarray, parts: np.ndarray, by: str) -> None:
    totals = _totals(counts, parts)
    untrained = [e for i, e in enumerate(Emotion) if totals[:, i].sum() > 0 and totals[0, i] == 0]
    if untrained:
        raise DatasetError(
            f"{', '.join(untrained)} cannot be in the training part: too few "
            f"{'persons' if by == 'person' else 'images'} ({len(counts)} for {len(table)} images) "
            "show each emotion; add some, leave the emotion out (data.emotions), or split by="
            "'random' (in a plan split.by=random)"
        )
