"""Writes what `emorank faithfulness` measured as CSV: a row per method, measure and fill.

    emorank run sample --out demo
    emorank faithfulness demo --methods all
    python studies/faithfulness.py studies/faithfulness.csv demo

`between less edges` and `between less epsilon-plus` are differences on the same face, so that a
difference has an interval of its own. To add methods that were measured on a copy of the study,
name the copy too:

    python studies/faithfulness.py studies/faithfulness.csv demo copy
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

import emorank
from emorank.evaluation.maps.map_scores import MapScore, summary
from emorank.results.faithfulness import Faithfulness
from emorank.study.folder import Study

RIVALS = ("edges", "epsilon-plus")
CURVES = ("logit", "probability")  # points of a curve: for the figures of the report


def found(study: Study) -> Faithfulness:
    """What was measured on a study, or the end of the script."""
    measured = study.read(Faithfulness)
    if measured is None:
        sys.exit(f"{study.folder}: nothing was measured; first: emorank faithfulness")
    return measured


def leads(table: pd.DataFrame, study: Study, rival: str, seed: int) -> list[MapScore]:
    """How far each method's `between` is above a rival's on the same faces and fills."""
    table = table[table["measure"] == "between"]
    theirs = table[table["method"] == rival].set_index(["image", "of"])["value"]
    over = theirs.reindex(pd.MultiIndex.from_frame(table[["image", "of"]])).to_numpy()
    table = table.assign(value=table["value"] - over, measure=f"between less {rival}")
    persons = study.table("faces").set_index("image")["person"]
    return summary(table[table["method"] != rival], persons, np.random.default_rng(seed))


def collected(studies: list[Study]) -> pd.DataFrame:
    """A row per method, measure and fill of studies that differ in the methods measured only."""
    parts = [found(study) for study in studies]
    same = {
        (part.settings, part.images, s.stamp(Faithfulness.AFTER))
        for part, s in zip(parts, studies, strict=True)
    }
    if len(same) > 1:
        sys.exit("the studies differ in faces, settings or network; give one, or copies of one")
    table = pd.concat([study.table(Faithfulness.NAME) for study in studies])
    table = table.drop_duplicates(["method", "image", "measure", "of", "at"])
    scores = [score for part in parts for score in part.scores]
    for rival in RIVALS:
        scores += leads(table, studies[0], rival, parts[0].settings.seed)
    rows = [row(score) for score in scores if not score.measure.startswith(CURVES)]
    rows += [
        {"method": name, "measure": "passes", "of": "", "value": value}
        for part in parts
        for name, value in part.passes.items()
    ]
    # The blind maps are measured in every study, and come out alike.
    unique = pd.DataFrame(rows).drop_duplicates(["method", "measure", "of"])
    return unique.astype({"faces": "Int64"}).round(4)


def row(score: MapScore) -> dict[str, object]:
    """A score as it stands in the CSV."""
    estimate = score.estimate
    return {
        "method": score.method,
        "measure": score.measure,
        "of": score.of,
        "faces": score.faces,
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
    }


if __name__ == "__main__":
    target, *folders = sys.argv[1:] or sys.exit(__doc__)
    table = collected([emorank.open_study(folder) for folder in folders or sys.exit(__doc__)])
    table.to_csv(Path(target), index=False)
