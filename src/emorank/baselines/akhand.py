"""Akhand et al. 2021: a deep convolutional network fine-tuned stage by stage."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from jaxtyping import Float
from sklearn.base import BaseEstimator

from emorank.baselines.descriptors import CONVOLUTIONS
from emorank.baselines.level_cuts import Levels, Values, mean_level, person_splits
from emorank.baselines.table_of_faces import Faces
from emorank.networks import training
from emorank.networks.training import Examples, Recipe
from emorank.networks.vgg import Chain
from emorank.networks.vgg16 import CUT_HEAD

BATCH = 16


@dataclass(eq=False, repr=False)
class Akhand(BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """VGG-16 with a new classifier of levels, trained first alone and then with the last block.

    Source: M. A. H. Akhand, S. Roy, N. Siddique, M. A. S. Kamal, T. Shimamura: Facial emotion
    recognition using transfer learning in the deep CNN. Electronics 10(9), 2021, 1036.

    Differences: the article recognises emotions, not intensity, and does not use the name ML-DCNNet
    under which the survey lists it; here the classifier learns the levels. There are two of its
    stages, classifier and last block, because each further stage runs the whole network in every
    epoch. The network is VGG-16 instead of its best one (DenseNet-161), because emorank has its
    weights. About every fifth person is held out, and the epoch that does best on them is used.
    """

    needs = (CONVOLUTIONS,)

    hidden: int = 256  # units of each of the classifier's two hidden layers
    epochs: int = 30  # of the first stage, which trains the classifier alone
    block_epochs: int = 1  # of the second stage, which also trains the last block; 0: left out
    learning_rate: float = 3e-4  # of the first stage; a tenth of it in the second
    random_state: int = 0  # seed of the classifier's first weights and of the batches

    def fit(self, faces: Faces, ranks: Levels) -> Self:
        """Train the classifier, then the last block with it.

        Raises:
            WeightsError: the weights of the convolutions cannot be loaded.
            ValueError: all faces are of one person.
        """
        self.classes_ = np.unique(ranks)
        labels = np.searchsorted(self.classes_, ranks)
        learn, watch = next(person_splits(faces))
        for recipe in self._stages():
            if recipe.cut == CUT_HEAD:
                self.net_ = training.fresh(len(self.classes_), faces.weights.load(), recipe)
            examples, held_out = (
                _examples(self.net_, faces.take(some), labels[some], recipe.cut)
                for some in (learn, watch)
            )
            training.train(self.net_, examples, held_out, recipe)
        return self

    def predict(self, faces: Faces) -> Levels:
        """The most probable level."""
        return np.asarray(self.classes_[self.predict_proba(faces).argmax(axis=1)], np.int64)

    @torch.inference_mode()
    def predict_proba(self, faces: Faces) -> Float[np.ndarray, "faces levels"]:
        """The probability of each level of `classes_`."""
        cut = self._stages()[-1].cut
        features = faces.convolutions(self.net_, cut)
        batches = (np.arange(len(faces))[i : i + BATCH] for i in range(0, len(faces), BATCH))
        logits = torch.cat([self.net_.tail(features.batch(some), cut) for some in batches])
        return logits.softmax(1).numpy().astype(np.float64)

    def intensity(self, faces: Faces) -> Values:
        """The mean level."""
        return mean_level(self.predict_proba(faces), self.classes_)

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


def _examples(net: Chain, faces: Faces, labels: Levels, cut: int) -> Examples:
    """What the frozen part of the network gives for each face; the other part learns from it."""
    return Examples(faces.convolutions(net, cut), np.arange(len(faces))[:, None], labels)
