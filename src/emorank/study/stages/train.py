"""Stage 2: a network of the study's own is trained, or that of another study is taken over."""

from emorank.progress import Progress, silent
from emorank.study.folder import Study
from emorank.study.take_network import take_network
from emorank.study.train_network import train_network


def train(study: Study, progress: Progress = silent) -> str:
    """Write the model; returns a line that says what came out.

    Raises:
        StudyError: the study is not prepared, or the other study has no network.
        WeightsError: weights are missing or damaged.
    """
    return (take_network if study.plan.network else train_network)(study, progress)
