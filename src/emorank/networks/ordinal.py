"""An ordinal output: one intensity score for each emotion, and thresholds that all of them share.

The model is that of proportional odds: the log-odds that emotion e is expressed at least at level k
are s_e(x) − θ_k, with θ_1 < θ_2 < θ_3 (McCullagh 1980, JRSS B 42, 109–142). As in CORAL (Cao,
Mirjalili, Raschka 2020, Pattern Recognition Letters 140, 325–331) the network's outputs are these
log-odds, one for each emotion and each level but the lowest, over one row of weights per emotion.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from emorank.networks import training
from emorank.networks.objectives import Objective
from emorank.networks.training import Examples, Recipe
from emorank.networks.vgg import Chain
from emorank.vocabulary import LEVELS, NONE, Emotion

STEPS = len(LEVELS) - 1  # thresholds between the levels
ABSENT = LEVELS.index(NONE)
UNKNOWN = -1  # the label of an emotion whose level nobody knows
# AdamW moves every parameter by about the learning rate a step, whatever its size. Thresholds lie
# units apart and weights hundredths, so at the weights' pace thresholds would stay where they were.
_PACE = 100.0
_FIRST_STEP = 2.0  # log-odds between neighbouring thresholds before training


class Thresholds(nn.Module):
    """The log-odds of at least each level, from one score per emotion.

    The middle threshold is 0: a score is the log-odds of at least Average. The others lie at
    distances that are positive by construction (softplus), so their order cannot be lost.
    """

    def __init__(self, steps: int = STEPS) -> None:
        super().__init__()
        first = float(np.log(np.expm1(_FIRST_STEP))) / _PACE
        self.distances = nn.Parameter(torch.full((steps - 1,), first))

    @property
    def places(self) -> Float[Tensor, " steps"]:
        """The thresholds θ, ascending."""
        steps = F.softplus(_PACE * self.distances).cumsum(0)
        places = torch.cat([steps.new_zeros(1), steps])
        return places - places[len(places) // 2]

    def forward(self, scores: Float[Tensor, "batch emotions"]) -> Float[Tensor, "batch outputs"]:
        """s_e − θ_k for each emotion and, within it, each level from Minimal on."""
        return (scores[:, :, None] - self.places).flatten(1)


def fresh(emotions: int, convolutions: dict[str, Tensor], recipe: Recipe) -> Chain:
    """The network before training: as `training.fresh`, with thresholds behind its scores."""
    net = training.fresh(emotions, convolutions, recipe)
    net.classifier.append(Thresholds())
    return net


def fit_thresholds(net: Chain, cut: int, examples: Examples, batch: int = 64) -> None:
    """Fit scale and thresholds anew on persons that the network was not trained on.

    On new persons the scores of a network are nearer to the middle than on those of its training,
    so the thresholds of the training are too far out. The scores s become α s − θ_2; α and the
    thresholds are fitted by maximum likelihood over the expressed emotion of each face (neutral:
    all emotions). The order of faces stays the same. This is Platt's scaling (1999, Advances in
    Large Margin Classifiers, 61–74) for levels.

    Args:
        net: from `fresh`, trained; changed in place.
        cut: as in `Chain.tail`.
        examples: of the validation part.
        batch: faces at a time.
    """
    last, thresholds = net.classifier[-2], net.classifier[-1]
    assert isinstance(last, nn.Linear)  # noqa: S101 - for the type checker
    assert isinstance(thresholds, Thresholds)  # noqa: S101 - likewise
    device, places = last.weight.device, thresholds.places.detach()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(examples.labels), batch):
            rows = np.arange(start, min(start + batch, len(examples.labels)))
            odds = _by_emotion(net.tail(examples.batch(rows, 0, device)[0], cut))
            parts.append(odds[..., 0] + places[0])
    scale, middle, distances = most_likely_thresholds(
        torch.cat(parts).cpu().double(), torch.from_numpy(examples.labels), places.cpu().double()
    )
    with torch.no_grad():
        last.weight.mul_(scale)
        last.bias.mul_(scale).sub_(middle)
        thresholds.distances.copy_(torch.log(torch.expm1(distances)) / _PACE)


def most_likely_thresholds(
    scores: Tensor, given: Tensor, places: Tensor
) -> tuple[float, float, Tensor]:
    """Scale, middle threshold and distances between thresholds of greatest likelihood.

    A penalty as strong as a face or two keeps them near the old ones where a level has no faces.
    """
    scores, asked = scores.clone(), _asked(given).double()
    shares = asked / asked.sum(1, keepdim=True)
    first = places.diff().log()
    free = torch.zeros(2 + len(first), dtype=torch.float64, requires_grad=True)

    def loss() -> Tensor:
        steps = torch.cat([free.new_zeros(1), (first + free[2:]).exp().cumsum(0)])
        steps = steps - steps[len(steps) // 2] + free[1]
        odds = (free[0].exp() * scores[..., None] - steps).flatten(1)
        return (shares * _surprise(odds, given)).sum() + (free**2).sum()

    search = torch.optim.LBFGS([free], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> float:
        search.zero_grad()
        value = loss()
        value.backward()  # type: ignore[no-untyped-call]
        return float(value.detach())

    search.step(closure)  # type: ignore[no-untyped-call]
    best = free.detach()
    return float(best[0].exp()), float(best[1]), (first + best[2:]).exp()


def unfold_thresholds(net: Chain) -> tuple[Chain, tuple[float, ...]]:
    """A trained network as a plain one with its thresholds in the biases of its outputs.

    Each output s_e − θ_k is a unit of the last dense layer, with the weights of s_e and the bias
    b_e − θ_k: so any reader of torchvision's keys can use it, and relevance accounts for the
    threshold as for any bias.

    Args:
        net: from `fresh`.

    Returns:
        The network in evaluation mode, with `STEPS` outputs for each emotion; the thresholds.
    """
    *layers, thresholds = net.classifier
    last = layers[-1]
    assert isinstance(thresholds, Thresholds)  # noqa: S101 - for the type checker
    assert isinstance(last, nn.Linear)  # noqa: S101 - likewise
    places = thresholds.places.detach()
    unfolded = nn.Linear(last.in_features, last.out_features * STEPS, device="meta")
    unfolded.weight = nn.Parameter(last.weight.detach().repeat_interleave(STEPS, 0))
    unfolded.bias = nn.Parameter((last.bias.detach()[:, None] - places).flatten())
    plain = Chain(net.features, net.avgpool, nn.Sequential(*layers[:-1], unfolded))
    return plain.eval().requires_grad_(False), tuple(places.tolist())


def labels(
    words: Sequence[str],
    levels: Sequence[int],
    emotions: Sequence[Emotion],
    others: int = ABSENT,
) -> Int[np.ndarray, "images emotions"]:
    """The level of every emotion in each face: that of its own, None of all others.

    Args:
        words: the emotion that each face expresses; neutral is None of all.
        levels: of that emotion, places in `LEVELS`.
        emotions: in the order of the network's scores.
        others: what an expressive face has of the emotions that it does not express; `UNKNOWN` to
            learn nothing of them (studies/ordinal.py compares the two).
    """
    table = np.full((len(words), len(emotions)), ABSENT, np.int64)
    for row, word, level in zip(table, words, levels, strict=True):
        if word in emotions:
            row[:] = others
            row[emotions.index(Emotion(word))] = level
    return table


def probabilities(
    outputs: Float[np.ndarray, "batch outputs"],
) -> Float[np.ndarray, "batch emotions levels"]:
    """The probability of each level of each emotion, differences of P(at least k)."""
    at_least = 1 / (1 + np.exp(-outputs.astype(np.float64).reshape(len(outputs), -1, STEPS)))
    ones, zeros = np.ones_like(at_least[..., :1]), np.zeros_like(at_least[..., :1])
    return -np.diff(np.concatenate([ones, at_least, zeros], axis=-1), axis=-1)


def levels(outputs: Float[np.ndarray, "batch outputs"]) -> Int[np.ndarray, "batch emotions"]:
    """The median level: the highest that is at least as likely reached as not.

    It never falls when the score rises, which the most probable level need not do, and no other
    level has a smaller expected distance.
    """
    reached: Int[np.ndarray, "batch emotions"] = (
        (outputs >= 0).reshape(len(outputs), -1, STEPS).sum(-1)
    )
    return reached


def cumulative_loss(outputs: Tensor, given: Tensor, weights: Tensor) -> Tensor:
    """Mean −log P(level) over the emotions whose level is known (McCullagh 1980)."""
    return _mean(_surprise(outputs, given), given, weights)


def coral_loss(outputs: Tensor, given: Tensor, weights: Tensor) -> Tensor:
    """Mean sum of the cross-entropies of "at least level k" (CORAL, Cao et al. 2020, eq. 4)."""
    odds = _by_emotion(outputs)
    reached = (given[..., None] > torch.arange(STEPS, device=given.device)).to(odds)
    each = F.binary_cross_entropy_with_logits(odds, reached, reduction="none").sum(-1)
    return _mean(each, given, weights)


def _surprise(outputs: Tensor, given: Tensor) -> Tensor:
    """−log P(level) of each emotion of each face, (batch, emotions).

    P(k) = σ(a) − σ(b) with neighbouring log-odds a > b is written σ(a) σ(−b) (1 − e^(b−a)), which
    keeps its digits where both are near 0 or near 1.
    """
    odds = _by_emotion(outputs)
    upper, lower = odds[..., :-1], odds[..., 1:]
    between = F.logsigmoid(upper) + F.logsigmoid(-lower) + torch.log(-torch.expm1(lower - upper))
    logs = torch.cat([F.logsigmoid(-odds[..., :1]), between, F.logsigmoid(odds[..., -1:])], -1)
    return -logs.gather(-1, given.clamp(min=0)[..., None])[..., 0]


def _mean(each: Tensor, given: Tensor, weights: Tensor) -> Tensor:
    """Over what is known, by the weight of its level."""
    shares = torch.where(given == UNKNOWN, 0.0, weights[given.clamp(min=0)])
    return (shares * each).sum() / shares.sum()


def _right(outputs: Tensor, given: Tensor) -> Tensor:
    """Whether the expressed emotion has its level; of a neutral face, whether all have None."""
    level = (_by_emotion(outputs) >= 0).sum(-1)
    right: Tensor = ((level == given) | ~_asked(given)).all(1)
    return right


def _asked(given: Tensor) -> Tensor:
    """The expressed emotion of each face, which alone has a level above None; else all of them."""
    return (given == given.amax(1, keepdim=True)) & (given != UNKNOWN)


def _by_emotion(outputs: Float[Tensor, "batch outputs"]) -> Float[Tensor, "batch emotions steps"]:
    return outputs.reshape(len(outputs), -1, STEPS)


LOSSES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "cumulative": cumulative_loss,
    "coral": coral_loss,
}


LOSS = "cumulative"


def objective(loss: str = LOSS) -> Objective:
    """What an ordinal network learns, by the name of its loss in `LOSSES`."""
    # Of a few dozen faces the share at the right level says too little to choose an epoch by.
    return Objective(LOSSES[loss], _right, by_loss=True, values=len(LEVELS))
