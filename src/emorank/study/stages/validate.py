"""Stage 6: compare the ranks with the raters' votes."""

import numpy as np
import pandas as pd

from emorank.answers.votes import votes_of
from emorank.answers.voting import majority
from emorank.evaluation.rank_validation import validation
from emorank.progress import Progress, silent
from emorank.study.folder import Study
from emorank.study.ground_truth import answers_of

VOTES = {"image": "string", "rater": "string", "rank": "string"}


def validate(study: Study, progress: Progress = silent) -> str:
    """Write the votes and the validation; returns a line that says what came out.

    Raises:
        StudyError: there are no ranks yet.
        VotesError: the votes file has unknown ranks or images, or double votes.
    """
    plan, faces, ranks = study.plan.validate, study.table("faces"), study.table("ranks")
    answers = answers_of(study)
    if not plan.votes:
        study.write_table("votes", pd.DataFrame(columns=list(VOTES)).astype(VOTES))
        study.write_metrics("rank", None)
        return "no votes were given, so the ranks are not validated (--votes FILE)"
    votes = votes_of(answers)
    voted = majority(votes, plan.ties)
    progress(1, 2, "raters' majority")
    split = study.table("split")
    training = voted[voted["image"].isin(split.loc[split["part"] != "test", "image"])]
    modes = training["rank"].dropna().mode()
    result = validation(
        ranks,
        voted,
        study.table("predictions"),
        rng=np.random.default_rng(study.plan.split.seed),
        persons=dict(faces.loc[faces["person"].notna(), ["image", "person"]].to_numpy()),
        trained_majority=str(modes.iloc[0]) if len(modes) else None,
        resamples=plan.resamples,
    )
    study.write_table("votes", votes)
    study.write_metrics("rank", result)
    progress(2, 2, "validation")
    if result.accuracy.value is None:
        return f"{len(votes)} votes, but none on a test image that was ranked"
    kappa = result.quadratic_kappa.value
    return (
        f"rank accuracy {result.accuracy.value:.3f} on {result.population.conditional} recognised "
        f"test images, quadratic kappa {'–' if kappa is None else f'{kappa:.3f}'}"
    )
