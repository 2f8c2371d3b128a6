"""Stage 6: compare the ranks with the raters' votes, and with known intensities."""

import pandas as pd

from emorank.answers.votes import votes_of
from emorank.answers.voting import majority
from emorank.evaluation.rank_scores import RankValidation
from emorank.progress import Progress, silent
from emorank.report.words import estimate, without_interval
from emorank.study.folder import Study
from emorank.study.ground_truth import answers_of
from emorank.study.test_part_ranks import compare_ranks, validate_ranks

VOTES = {"image": "string", "rater": "string", "rank": "string"}


def validate(study: Study, progress: Progress = silent) -> str:
    """Write the votes and how well the ranks agree; returns a line that says what came out.

    Raises:
        StudyError: there are no ranks yet.
        VotesError: the votes file has unknown ranks or images, or double votes.
    """
    plan, ranks = study.plan.validate, study.table("ranks")
    answers = answers_of(study)
    if not plan.votes:
        study.write_table("votes", pd.DataFrame(columns=list(VOTES)).astype(VOTES))
        study.write_metrics("rank", None)
        study.write_metrics("ranks", compare_ranks(study))
        return "no votes were given, so the ranks are not validated (--votes FILE)"
    votes = votes_of(answers)
    study.write_table("votes", votes)
    progress(1, 3, "raters' majority")
    result = validate_ranks(study, ranks, majority(votes, plan.ties))
    study.write_metrics("rank", result)
    progress(2, 3, "validation")
    both = compare_ranks(study)
    study.write_metrics("ranks", both)
    progress(3, 3, "validation")
    if result.accuracy.value is None or both.validated is None:
        return f"{len(votes)} votes, but none on a test image that was ranked"
    count = result.population.conditional
    return (
        f"on {count} recognised test images quadratic kappa {_kappa(both.validated)} by "
        f"{both.default}, {_kappa(result)} by the paper's rule"
    )


def _kappa(result: RankValidation) -> str:
    return without_interval(estimate(result.quadratic_kappa, 3))
