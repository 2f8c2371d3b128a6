"""Stage 5: rank the expression intensity of every test image from its relevance map."""

import pandas as pd

from emorank.errors import StudyError
from emorank.progress import Progress, silent
from emorank.ranking import IntervalRanks
from emorank.ranking import rank as interval_rank
from emorank.study.folder import Study
from emorank.study.relevance_maps import stores
from emorank.vocabulary import Emotion, Rank

BATCH = 16


def rank(study: Study, progress: Progress = silent) -> str:
    """Write the ranks; returns a line that says what came out.

    Raises:
        StudyError: relevance maps are missing.
    """
    predictions = study.table("predictions").merge(
        study.table("faces")[["image", "digest"]], on="image"
    )
    maps, _ = stores(study)
    found: list[pd.DataFrame] = []
    done = 0
    for keys, relevance in maps.chunks(BATCH):
        table = ranks_table(interval_rank(relevance, rule=study.plan.rank.rule))
        table.insert(0, "digest", keys)
        found.append(table)
        done += len(keys)
        progress(done, len(predictions), "ranks")
    if not found or not set(predictions["digest"]) <= set(pd.concat(found)["digest"]):
        raise StudyError(
            f"{study.folder}: relevance maps are missing; run: "
            f"emorank explain --study {study.folder}"
        )
    ranks = predictions[["image", "predicted", "digest"]].merge(pd.concat(found), on="digest")
    ranks = without_neutral(ranks).drop(columns="digest")
    study.write_table("ranks", ranks)
    counts = ranks["rank"].value_counts()
    return ", ".join(f"{counts.get(r.label, 0)} {r.label}" for r in Rank)


def ranks_table(found: IntervalRanks) -> pd.DataFrame:
    """Rank, ten counts, three group values and the place of zero as columns."""
    table = pd.DataFrame()
    table["rank"] = pd.array([Rank(number).label for number in found.ranks], dtype="string")
    for j in range(10):
        table[f"n_{j + 1}"] = found.counts[:, j]
    group_values = found.values  # noqa: PD011 - a record of ours, no DataFrame
    for j in range(3):
        table[f"value_{j + 1}"] = group_values[:, j]
    table["zero"] = found.zero
    return table


def without_neutral(ranks: pd.DataFrame) -> pd.DataFrame:
    """No rank where the predicted emotion is neutral: there is no expression to be intense."""
    neutral = ranks["predicted"] == Emotion.NEUTRAL
    return ranks.assign(rank=ranks["rank"].mask(neutral, pd.NA))
