"""A study's scores by group of persons; the groups from the data set or from a table beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from emorank.answers.voting import majority
from emorank.datasets.attributes import Bands, attribute_columns, banded_groups, read_attributes
from emorank.datasets.table import ATTRIBUTES
from emorank.errors import StudyError
from emorank.evaluation.group_scores import Attribute, by_group, corrected
from emorank.progress import Progress, silent
from emorank.results.groups import GroupResults
from emorank.study.folder import Study
from emorank.study.framed_faces import open_dataset
from emorank.vocabulary import Emotion, Rank


def results_by_group(
    study: Study,
    groups: Path | str | None = None,
    by: Sequence[str] = (),
    *,
    id_column: str | None = None,
    bands: Mapping[str, Bands] | None = None,
    progress: Progress = silent,
) -> GroupResults:
    """Score the test part of a study by group of persons, and write it to `groups.json`.

    `groups` is CSV or Parquet with a row per person or image, named in `id_column` (the best match
    if None), and a column per attribute; None for what the data set itself knows. `by` are
    attributes, "gender", or "gender=face_gender" where the column is called otherwise; empty for
    all of `ATTRIBUTES` that are there. `bands` are the lower ends of bands of a number, by
    attribute.

    Raises:
        StudyError: the study is not validated yet.
        DatasetError: the file cannot be read, or none of its rows is of this study.
        PlanError: an attribute is not there, or is a number without bands.
    """
    if not study.stamp("validate"):
        raise StudyError(
            f"{study.folder}: results by group need a study run to its end; first: emorank run"
        )
    table, usual = _tested(study)
    attributes = (
        _own_attributes(study)
        if groups is None
        else read_attributes(Path(groups), table, id_column or "")
    )
    columns = attribute_columns(attributes, by, _where(study, groups))
    rng = np.random.default_rng(study.plan.split.seed)
    classes = [e for e in Emotion if e in set(table["emotion"]) | set(table["predicted"])]
    results: list[Attribute] = []
    for number, (name, column) in enumerate(columns.items()):
        progress(number, len(columns), name)
        values = attributes[column].reindex(table["image"])
        banded, order = banded_groups(values, name, (bands or {}).get(name))
        labelled = table.assign(**{name: banded.array})
        resamples = study.plan.validate.resamples
        results.append(
            by_group(
                labelled, name, classes, rng=rng, order=order, majority=usual, resamples=resamples
            )
        )
    card = open_dataset(study).card
    source = f"the data set {card.name}" if groups is None else Path(groups).name
    record = GroupResults(source, card.simulated, len(table), corrected(results))
    study.write(record)
    return record


def _tested(study: Study) -> tuple[pd.DataFrame, str | None]:
    """The test images with their ranks as numbers, and the most frequent emotion of training.

    None where nothing was trained here: then it is the most frequent of these images.
    """
    faces = study.table("faces").merge(study.table("split"), on="image")
    table = study.table("predictions")[["image", "emotion", "predicted"]]
    table = table.merge(faces[["image", "person"]], on="image")
    table = table.merge(study.table("ranks")[["image", "rank"]], on="image")
    votes = study.table("votes")
    voted = majority(votes, study.plan.validate.ties) if len(votes) else votes
    annotated = voted.set_index("image")["rank"].reindex(table["image"]).array
    numbers = {rank.label: int(rank) - 1 for rank in Rank}
    true, guess = (
        pd.Series(ranks).map(numbers).fillna(-1).to_numpy(np.int64)
        for ranks in (annotated, table["rank"].array)
    )
    # As in the validation: where the emotion is recognised, and both have a rank.
    right = ((table["emotion"] == table["predicted"]) & (table["emotion"] != Emotion.NEUTRAL)).array
    compared = np.asarray(right, bool) & (true >= 0) & (guess >= 0)
    table = table.drop(columns="rank").assign(
        true_rank=np.where(compared, true, -1), predicted_rank=np.where(compared, guess, -1)
    )
    training = faces.loc[faces["part"] == "train", "emotion"]
    return table, str(training.mode().iloc[0]) if len(training) else None


def _own_attributes(study: Study) -> pd.DataFrame:
    """The attributes of each image's person that the data set itself has."""
    table = open_dataset(study).table.set_index("image")
    return table[[name for name in ATTRIBUTES if name in table.columns]]


def _where(study: Study, file: Path | str | None) -> str:
    return f"the data set {study.plan.data.dataset}" if file is None else str(file)
