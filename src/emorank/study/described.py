"""What a study says of its faces, alike for the report and the model card."""

import pandas as pd

from emorank.datasets.splits import PARTS
from emorank.errors import StudyError
from emorank.evaluation.classification import Classification
from emorank.evaluation.rank_scores import RankValidation
from emorank.report.headline import headline as headline_lines
from emorank.report.sections.data import FacesSummary, labelled
from emorank.study.folder import Study
from emorank.study.framed_faces import framing, open_dataset

_CROPS = {"none": "images as they are", "face": "aligned by five landmarks"}


def described(study: Study, faces: pd.DataFrame) -> FacesSummary:
    """The data set, how many faces of whom in which `part`, and how they are framed."""
    dataset = open_dataset(study)
    card, persons = dataset.card, faces["person"].nunique() or None
    # A study may be older than what is assumed today.
    as_today = (persons is None) == bool(dataset.table["person"].isna().all())
    return FacesSummary(
        name=card.name,
        title=card.title,
        licence=card.licence,
        citation=card.citation,
        url=card.url,
        images=len(faces),
        persons=persons,
        distribution=labelled(pd.crosstab(faces["emotion"], faces["part"]), PARTS),
        simulated=card.simulated,
        crop=f"{_CROPS[framing(study, dataset)]}, {study.plan.data.size} px",
        assumed=dataset.assumed if as_today else "",
    )


def unseen(study: Study) -> bool:
    """Whether persons are known, and none of the test part is in the training part."""
    leakage = study.measured().leakage
    return leakage is not None and leakage.person == 0


def scores_of_study(study: Study) -> tuple[Classification, RankValidation | None]:
    """The scores of the emotions, and those of the ranks if there are votes.

    Raises:
        StudyError: the emotions are not tested yet.
    """
    metrics = study.measured()
    if metrics.emotion is None:
        raise StudyError(f"{study.folder}: its emotions are not tested yet; first: emorank run")
    return metrics.emotion, metrics.rank


def headline(study: Study) -> tuple[str, ...]:
    """The results in three lines; in two where an earlier version made the study.

    Raises:
        StudyError: the emotions are not tested yet.
    """
    emotions, ranks = scores_of_study(study)
    compared = study.measured().ranks
    return headline_lines(emotions, compared, ranks, unseen_persons=unseen(study))
