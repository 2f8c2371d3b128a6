"""Transfer learning: the trained part learns from features of the frozen part.

Everything random in epoch e is drawn from generators seeded with (seed, e), so a run that was
killed goes on from its last saved epoch to the same weights.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
import torch
from jaxtyping import Float, Int
from msgspec import Meta
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from emorank.networks.backbones import BACKBONES, PAPERS, on_backbone
from emorank.networks.features import Features
from emorank.networks.objectives import CLASSES, Objective
from emorank.networks.tensors import save_tensors
from emorank.networks.vgg import Chain
from emorank.networks.vgg16 import VGG16, channels_last
from emorank.progress import Progress, silent
from emorank.seals import is_damaged


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How to train: Table 1 of the paper, and what it leaves open."""

    epochs: Annotated[int, Meta(ge=1, le=10_000)] = 100
    batch: Annotated[int, Meta(ge=2, le=4096)] = 32
    learning_rate: Annotated[float, Meta(gt=0, le=1)] = 1e-4
    weight_decay: Annotated[float, Meta(ge=0, le=1)] = 0.001
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.5
    hidden: Annotated[int, Meta(ge=1, le=16384)] = 4096
    unfreeze: Literal["none", "block5", "block4"] = "none"
    views: Annotated[int, Meta(ge=1, le=64)] = 1
    patience: Annotated[int, Meta(ge=0)] = 0
    class_weights: bool = False
    seed: Annotated[int, Meta(ge=0)] = 0
    backbone: Literal["vgg16", "expression", "expression+identity"] = "vgg16"
    head: Literal["auto", "dense", "logistic"] = "auto"

    @property
    def cut(self) -> int:
        """Where the network is cut into its frozen and its trained part."""
        return BACKBONES[self.backbone].cuts[self.unfreeze]

    @property
    def logistic(self) -> bool:
        """Whether the classifier is a logistic regression: by default on ready features."""
        return self.head == "logistic" or (self.head == "auto" and self.backbone != PAPERS)


@dataclass(frozen=True)
class Epoch:
    """One row of the curves; losses in nats, accuracies in [0, 1]."""

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    seconds: float


@dataclass(frozen=True)
class Examples:
    """Features with labels; every image may have several views, the first being itself."""

    features: Features
    views: Int[np.ndarray, "images views"]  # index into `features`
    labels: Int[np.ndarray, "images ..."]  # class index, or what else the objective learns

    def batch(
        self,
        images: Int[np.ndarray, " batch"],
        views: Int[np.ndarray, " batch"] | int,
        to: torch.device,
    ) -> tuple[Float[Tensor, "batch ..."], Int[Tensor, "batch ..."]]:
        """Features of one view of each image, and the labels, on a device."""
        inputs = self.features.batch(self.views[images, views])
        return inputs.to(to), torch.from_numpy(self.labels[images]).to(to)


def fresh(classes: int, convolutions: dict[str, Tensor], recipe: Recipe) -> Chain:
    """The network before training: given convolutions, classifier drawn from the recipe's seed.

    A ready backbone has convolutions of its own.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        if recipe.backbone != PAPERS:
            hidden = 0 if recipe.logistic else recipe.hidden
            return on_backbone(recipe.backbone, classes, hidden, recipe.dropout)
        net = VGG16(classes, recipe.hidden, recipe.dropout)
    net.load_state_dict(convolutions, strict=False)
    return channels_last(net)


def train(
    net: Chain,
    training: Examples,
    validation: Examples,
    recipe: Recipe,
    *,
    objective: Objective = CLASSES,
    state: Path | None = None,
    of: str = "",
    start: Epoch | None = None,
    save_every: float = 60.0,
    progress: Progress = silent,
) -> list[Epoch]:
    """Train `net` in place; it ends with the weights of its best epoch on the validation part.

    Best is the highest validation accuracy, and among equals the lowest loss; or as the objective
    says.

    Args:
        net: from `fresh`.
        training: what is learnt from; each epoch sees one random view of each image.
        validation: what decides on the best epoch and on early stopping; never learnt from.
        recipe: how.
        objective: what the labels are, and what the network is to make of them.
        state: file for going on after a kill; to be removed when the result is stored. A state of
            another recipe, or `of` something else, is an earlier attempt and is ignored.
        of: what is learnt from, in words or a digest, where the recipe does not tell.
        start: what the network does before, if it is trained already: the first row of the curves.
        save_every: seconds between saves of the state (it holds four times the trained weights).
        progress: told of epochs done.

    Returns:
        The curves, one row per epoch run.
    """
    run = _Run(net, training, recipe, objective, of)
    if state is not None:
        run.resume(state)
    if start is not None and not run.history:
        run.close(start)
    last = recipe.epochs + (start is not None)
    outputs = objective.values or _last(net.classifier).out_features
    weights = class_weights(training.labels, outputs, recipe.class_weights)
    weights = weights.to(next(net.parameters()).device)
    saved = time.monotonic()
    for epoch in range(len(run.history) + 1, last + 1):
        if run.exhausted():
            break
        begin = time.monotonic()
        loss, accuracy = run.learn(epoch, training, weights)
        validation_loss, validation_accuracy = score(run.tail, validation, recipe, objective)
        seconds = time.monotonic() - begin
        run.close(
            Epoch(epoch, loss, accuracy, validation_loss, validation_accuracy, round(seconds, 3))
        )
        progress(epoch, last, f"loss {loss:.3f} · validation {validation_accuracy:.3f}")
        if state is not None and time.monotonic() - saved >= save_every:
            run.save(state)
            saved = time.monotonic()
    run.restore_best()
    progress(last, last, f"best validation accuracy {run.best_accuracy:.3f}")
    return run.history


@torch.inference_mode()
def score(
    tail: nn.Module, examples: Examples, recipe: Recipe, objective: Objective = CLASSES
) -> tuple[float, float]:
    """Mean loss and accuracy on the images themselves, without dropout and without weights."""
    tail.eval()
    total, right, device = 0.0, 0, next(tail.parameters()).device
    for images in _batches(np.arange(len(examples.labels)), recipe.batch):
        inputs, labels = examples.batch(images, 0, device)
        outputs = tail(inputs)
        even = outputs.new_ones(objective.values or outputs.shape[1])
        total += float(objective.loss(outputs, labels, even)) * len(images)
        right += int(objective.right(outputs, labels).sum())
    return total / len(examples.labels), right / len(examples.labels)


class _Head(nn.Module):
    """The classifier on the features that are not zero in every training image.

    Of the 25 088 inputs more than half are zero in each of a few hundred faces. Their weights have
    no gradient and would stay at random values, so they are set to zero, which keeps noise out of
    the logits and relevance off them, and training leaves them out, which halves its time.
    """

    alive: Tensor

    def __init__(self, classifier: nn.Sequential, training: Examples) -> None:
        super().__init__()
        whole = _first(classifier)
        self.whole = [whole]  # in a list, so that torch does not count its parameters as ours
        self.register_buffer("alive", _alive(training).to(whole.weight.device))
        # skip_init draws no weights, which would change the state of torch's global generator.
        inputs, outputs = len(self.alive), whole.out_features
        self.first = nn.utils.skip_init(  # type: ignore[no-untyped-call]
            nn.Linear, inputs, outputs, device=whole.weight.device
        )
        self.rest = classifier[1:]
        with torch.no_grad():
            self.first.weight.copy_(whole.weight[:, self.alive])
            self.first.bias.copy_(whole.bias)

    def forward(self, maps: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch classes"]:
        logits: Tensor = self.rest(self.first(torch.flatten(maps, 1)[:, self.alive]))
        return logits

    def finish(self) -> None:
        """Put the learnt weights back into the whole classifier."""
        whole = self.whole[0]
        with torch.no_grad():
            whole.weight.zero_()
            whole.weight[:, self.alive] = self.first.weight
            whole.bias.copy_(self.first.bias)


def _first(classifier: nn.Sequential) -> nn.Linear:
    layer = classifier[0]
    assert isinstance(layer, nn.Linear)  # noqa: S101 - for the type checker
    return layer


def _last(classifier: nn.Sequential) -> nn.Linear:
    return next(layer for layer in reversed(classifier) if isinstance(layer, nn.Linear))


class _Tail(nn.Module):
    """The last convolutions and the classifier."""

    def __init__(self, net: Chain, cut: int) -> None:
        super().__init__()
        self.features, self.classifier = net.features[cut:], net.classifier
        self.net, self.cut = [net], cut

    def forward(self, maps: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch classes"]:
        return self.net[0].tail(maps, self.cut)

    def finish(self) -> None:
        """Nothing to put back: the weights are the network's own."""


def _alive(training: Examples) -> Int[Tensor, " inputs"]:
    """Which features are not zero in at least one view of one training image."""
    alive = np.zeros(int(np.prod(training.features.records.shape[1:])), bool)
    for views in _batches(training.views.ravel(), 256):
        records = training.features.records[training.features.rows[views]]
        alive |= (records != 0).any(0).ravel()
    return torch.from_numpy(np.flatnonzero(alive))


class _Run:
    """The state of one training: optimiser, curves, and the best weights so far."""

    def __init__(
        self, net: Chain, training: Examples, recipe: Recipe, objective: Objective, of: str
    ) -> None:
        self.net, self.recipe, self.objective = net, recipe, objective
        # A saved state belongs to this training if it holds the same words.
        self.about = {"recipe": msgspec.json.encode(recipe).decode(), "of": of}
        net.requires_grad_(False)
        self.tail = (
            _Head(net.classifier, training) if recipe.cut == net.end else _Tail(net, recipe.cut)
        )
        self.tail.requires_grad_(True)
        self.parameters = dict(self.tail.named_parameters())
        self.optimiser = torch.optim.AdamW(
            list(self.parameters.values()),
            lr=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            fused=True,
        )
        self.history: list[Epoch] = []
        self.best: dict[str, Tensor] = {}

    def learn(self, epoch: int, examples: Examples, weights: Tensor) -> tuple[float, float]:
        """One pass over the training part; mean loss and accuracy while learning."""
        self.tail.train()
        random = np.random.default_rng([self.recipe.seed, epoch])
        order = random.permutation(len(examples.labels))
        chosen = random.integers(examples.views.shape[1], size=len(order))
        total, right, device = 0.0, 0, weights.device
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(self.recipe.seed * 100_003 + epoch)  # dropout draws from here
            for images in _batches(order, self.recipe.batch):
                inputs, labels = examples.batch(images, chosen[images], device)
                outputs = self.tail(inputs)
                loss = self.objective.loss(outputs, labels, weights)
                self.optimiser.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                self.optimiser.step()
                total += loss.item() * len(images)
                right += int(self.objective.right(outputs.detach(), labels).sum())
        return total / len(order), right / len(order)

    def close(self, epoch: Epoch) -> None:
        """Enter an epoch into the curves and keep its weights if they are the best."""
        self.history.append(epoch)
        if self.best_epoch() is epoch:
            if not self.best:
                self.best = {name: p.detach().clone() for name, p in self.parameters.items()}
            for name, parameter in self.parameters.items():
                self.best[name].copy_(parameter.detach())

    def best_epoch(self) -> Epoch:
        """The earliest of the best epochs."""
        if self.objective.by_loss:
            return min(self.history, key=lambda e: e.validation_loss)
        return max(self.history, key=lambda e: (e.validation_accuracy, -e.validation_loss))

    @property
    def best_accuracy(self) -> float:
        """Of the best epoch, on the validation part."""
        return self.best_epoch().validation_accuracy

    def exhausted(self) -> bool:
        """Whether early stopping ends the training here."""
        if not self.recipe.patience or not self.history:
            return False
        return len(self.history) - self.best_epoch().epoch >= self.recipe.patience

    def restore_best(self) -> None:
        """Give the network its best weights and end in evaluation mode."""
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(self.best[name])
        self.tail.finish()
        self.net.requires_grad_(False).eval()

    def save(self, state: Path) -> None:
        """Write everything that is needed to go on, atomically."""
        tensors: dict[str, Tensor] = {}
        for name, parameter in self.parameters.items():
            tensors[f"now.{name}"] = parameter.detach()
            tensors[f"best.{name}"] = self.best[name]
            for key, value in self.optimiser.state[parameter].items():
                tensors[f"{key}.{name}"] = value
        history = json.dumps([asdict(epoch) for epoch in self.history])
        save_tensors(tensors, state, self.about | {"history": history})

    def resume(self, state: Path) -> None:
        """Go on from a saved state of the same training, if there is one that can be read."""
        try:
            if is_damaged(state):
                return
            with safe_open(state, framework="pt") as file:
                about = file.metadata() or {}
                if any(about.get(key) != value for key, value in self.about.items()):
                    return
                for name, parameter in self.parameters.items():
                    with torch.no_grad():
                        parameter.copy_(file.get_tensor(f"now.{name}"))
                    self.best[name] = file.get_tensor(f"best.{name}")
                    self.optimiser.state[parameter] = {"step": file.get_tensor(f"step.{name}")} | {
                        # The fused step walks through memory: moments must lie as the kernel does.
                        key: torch.empty_like(parameter).copy_(file.get_tensor(f"{key}.{name}"))
                        for key in ("exp_avg", "exp_avg_sq")
                    }
        except (OSError, SafetensorError):  # none, or one that a full disk spoilt: start afresh
            return
        self.history = [Epoch(**row) for row in json.loads(about["history"])]


def _batches(order: Int[np.ndarray, " images"], size: int) -> Iterator[Int[np.ndarray, " batch"]]:
    for start in range(0, len(order), size):
        yield order[start : start + size]


def class_weights(
    labels: Int[np.ndarray, "images ..."], values: int, even: bool
) -> Float[Tensor, " values"]:
    """Ones, or the inverse of the share of each value, so that every class weighs the same.

    Labels below zero are not known and count for nothing.
    """
    if not even:
        return torch.ones(values)
    counts = np.bincount(labels[labels >= 0], minlength=values)
    return torch.tensor(counts.sum() / (values * np.maximum(counts, 1)), dtype=torch.float32)
