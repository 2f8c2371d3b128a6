"""Stage 5: rank the expression intensity of every test image from its relevance map."""

import pandas as pd

from emorank.errors import StudyError
from emorank.progress import Progress, silent
from emorank.reading.ranks import interval_table
from emorank.reading.reader import in_words
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
    study.write_table("ranks", ranks)
    counts = ranks["rank"].value_counts()
    return ", ".join(f"{counts.get(r.label, 0)} {r.label}" for r in Rank)
