"""Numbers and their intervals: the emotion test, and ranks against raters."""

from emorank.evaluation.classification import Classification, classification
from emorank.evaluation.rank_scores import RankValidation, averages, scores_table
from emorank.evaluation.rank_validation import validation
from emorank.evaluation.statistics.uncertainty import Estimate, bootstrap, wilson

__all__ = [
    "Classification",
    "Estimate",
    "RankValidation",
    "averages",
    "bootstrap",
    "classification",
    "scores_table",
    "validation",
    "wilson",
]
