"""Akhand et al. 2021: a deep convolutional network fine-tuned stage by stage."""

from typing import Self

import numpy as np
import torch
from jaxtyping import Float
from sklearn.base import BaseEstimator

from emorank.baselines.descriptors import CONVOLUTIONS
from emorank.baselines.level_cuts import Levels, Values, by_person, expected
from emorank.baselines.table_of_faces import Faces
from emorank.networks import training, weights
from emorank.networks.training import Examples, Recipe
from emorank.networks.vgg16 import CUT_HEAD, VGG16

BATCH = 16


class Akhand(BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """VGG-16 with a new classifier for the levels: first that alone learns, then the last block.

    Source: M. A. H. Akhand, S. Roy, N. Siddique, M. A. S. Kamal, T. Shimamura: Facial emotion
    recognition using transfer learning in the deep CNN. Electronics 10(9), 2021, 1036.

    Departures: the article recognises emotions and no intensity, and the name ML-DCNNet under which
    the survey lists it is not its own; here its classifier learns the levels. Of its stages there
    are two, classifier and last block, because each more goes through the whole network in every
    epoch; VGG-16 instead of its best one (DenseNet-161), because its convolutions are at hand.
    Every fifth person or so is held out, and the epoch that does best on them is kept.

    Args:
        hidden: width of the classifier's two hidden layers.
        epochs: of the first stage, the classifier alone.
        block_epochs: of the second stage, the last block too; 0 for none.
        learning_rate: of the first stage; a tenth of it in the second.
        random_state: seed of the classifier's beginning and of the batches.
    """

    needs = (CONVOLUTIONS,)

    def __init__(
        self,
        hidden: int = 256,
        epochs: int = 30,
        block_epochs: int = 1,
        learning_rate: float = 3e-4,
        random_state: int = 0,
    ) -> None:
        self.hidden = hidden
        self.epochs = epochs
        self.block_epochs = block_epochs
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, faces: Faces, ranks: Levels) -> Self:
        """Train the classifier, then the last block with it.

        Raises:
            WeightsError: the convolutions cannot be had.
            ValueError: all faces are one person's.
        """
        self.classes_ = np.unique(ranks)
        labels = np.searchsorted(self.classes_, ranks)
        learnt, watched = next(by_person(faces))
        for recipe in self._stages():
            if recipe.cut == CUT_HEAD:
                self.net_ = training.fresh(len(self.classes_), weights.load(faces.weights), recipe)
            seen, kept = (
                _examples(self.net_, faces.take(some), labels[some], recipe.cut)
                for some in (learnt, watched)
            )
            training.train(self.net_, seen, kept, recipe)
        return self

    def predict(self, faces: Faces) -> Levels:
        """The most probable level."""
        return np.asarray(self.classes_[self.predict_proba(faces).argmax(axis=1)], np.int64)

    @torch.inference_mode()
    def predict_proba(self, faces: Faces) -> Float[np.ndarray, "faces levels"]:
        """Of each level of `classes_`."""
        cut = self._stages()[-1].cut
        found = faces.convolved(self.net_, cut)
        batches = (np.arange(len(faces))[i : i + BATCH] for i in range(0, len(faces), BATCH))
        logits = torch.cat([self.net_.tail(found.batch(some), cut) for some in batches])
        return logits.softmax(1).numpy().astype(np.float64)

    def intensity(self, faces: Faces) -> Values:
        """The mean level."""
        return expected(self.predict_proba(faces), self.classes_)

    def _stages(self) -> list[Recipe]:
        head = Recipe(
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            hidden=self.hidden,
            patience=10,
            seed=self.random_state,
        )
        block = Recipe(
            epochs=max(1, self.block_epochs),
            batch=BATCH,
            learning_rate=self.learning_rate / 10,
            hidden=self.hidden,
            unfreeze="block5",
            seed=self.random_state,
        )
        return [head, block] if self.block_epochs else [head]


def _examples(net: VGG16, faces: Faces, labels: Levels, cut: int) -> Examples:
    """Features of the frozen part; the trained part learns from them."""
    found = faces.convolved(net, cut)
    return Examples(found, np.arange(len(faces))[:, None], labels)
