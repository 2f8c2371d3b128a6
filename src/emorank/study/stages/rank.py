"""Stage 5: rank the expression intensity of every test image, by the paper's rule and as usual.

The paper's rule reads the relevance maps; the rank that people get needs none.
"""

from collections.abc import Sequence

import pandas as pd

from emorank.errors import StudyError
from emorank.evaluation.rank_scores import RANKS
from emorank.progress import Progress, silent
from emorank.reading.ranks import interval_table
from emorank.reading.reader import in_words
from emorank.study.folder import Study
from emorank.study.relevance_maps import stores
from emorank.study.test_part_ranks import default_ranks, table_of
from emorank.vocabulary import LEVELS, Emotion

BATCH = 16


def rank(study: Study, progress: Progress = silent) -> str:
    """Write the ranks; returns a line that says what came out.

    Raises:
        StudyError: relevance maps are missing.
    """
    ranks = rank_by_paper(study, progress)
    study.write_table("ranks", ranks)
    name, usual = default_ranks(study, progress)
    study.write_table(table_of(name), usual)
    both = ((name, usual, LEVELS), ("the paper's rule", ranks, RANKS))
    return "; ".join(f"{title}: {_counts(table, words)}" for title, table, words in both)


def rank_by_paper(study: Study, progress: Progress = silent) -> pd.DataFrame:
    """The ranks of the relevance maps, some maps at a time.

    Raises:
        StudyError: relevance maps are missing.
    """
    predictions = study.table("predictions").merge(
        study.table("faces")[["image", "digest"]], on="image"
    )
    maps, _ = stores(study)
    tables: list[pd.DataFrame] = []
    done = 0
    for keys, relevance in maps.chunks(BATCH):
        tables.append(interval_table(relevance, study.plan.rank.rule).assign(digest=keys))
        done += len(keys)
        progress(done, len(predictions), "ranks")
    if not tables or not set(predictions["digest"]) <= set(pd.concat(tables)["digest"]):
        raise StudyError(
            f"{study.folder}: relevance maps are missing; run: "
            f"emorank explain --study {study.folder}"
        )
    ranks = in_words(pd.concat(tables, ignore_index=True))
    ranks = predictions[["image", "predicted", "digest"]].merge(ranks, on="digest")
    ranks = ranks.drop(columns=["digest", "abstained", "score"])
    # No expression, no intensity: the study's own table has a missing value there.
    ranks["rank"] = ranks["rank"].mask(ranks["predicted"] == Emotion.NEUTRAL, pd.NA)
    return ranks


def _counts(ranks: pd.DataFrame, words: Sequence[str]) -> str:
    counts = ranks["rank"].value_counts()
    return ", ".join(f"{counts.get(word, 0)} {word}" for word in words)
