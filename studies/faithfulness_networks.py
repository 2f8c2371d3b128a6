"""Region perturbation on networks of several families, as a table: a row per network, rules, fill.

    python studies/faithfulness_networks.py studies/faithfulness_networks.csv FACES

FACES are photographs of the Face Research Lab London Set in the folders `happiness` and `neutral`;
without it only networks that the shipped sample trains are measured. Real weights: the shipped
network of expressions (convolutions by channel, sums), and the shipped network of persons (residual
blocks), whose logits are the products of its 128 numbers with those of the neutral photographs of
the same persons. Small networks of other families learn seven expressions of the rendered faces
here, in seconds, and are measured on persons that they have not seen.

`between` is as in docs/faithfulness.md: regions removed least relevant first, less most relevant
first, on a grid of 14 × 14, divided by the spread of that network's logits over its faces, so that
networks can be compared. Intervals: bootstrap over persons.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import emorank
from emorank import faces
from emorank.evaluation.maps.blind import blind_map
from emorank.evaluation.maps.region_perturbation import curves, ends
from emorank.images import read
from emorank.networks.normalisation import Normalisation
from emorank.networks.ready import READY, load_ready
from emorank.relevance import override_preset, prepare

FILLS = ("mean", "blur")
PRESETS = ("epsilon", "epsilon-plus", "epsilon-gamma-box")
BLIND = ("random", "edges")
MOST = 16  # faces of a network
RESAMPLES = 2000
SIDE = 56  # of the faces that small networks learn
EPOCHS = 12


@dataclass(frozen=True)
class Measured:
    """A network with the faces that it is measured on.

    Attributes:
        name: of the network, or of its family.
        weights: where they come from.
        net: in evaluation mode.
        normalisation: of its input.
        images: (faces, side, side, 3), uint8.
        target: the class that is explained of each.
        persons: who each is.
        gates: it has products, so that two ways to share them are compared.
    """

    name: str
    weights: str
    net: nn.Module
    normalisation: Normalisation
    images: np.ndarray
    target: np.ndarray
    persons: np.ndarray
    gates: bool = False

    def batch(self, images: np.ndarray) -> Tensor:
        """As the network takes them."""
        return self.normalisation(torch.tensor(images).permute(0, 3, 1, 2) / 255)

    def score(self, images: np.ndarray) -> np.ndarray:
        """Logits."""
        with torch.no_grad():
            return self.net(self.batch(images)).double().numpy()


# --- networks with weights that come with emorank ---


def ready(folder: Path) -> Iterator[Measured]:
    """The shipped networks on photographs."""
    pairs = [(p, folder / "neutral" / p.name) for p in sorted((folder / "happiness").glob("*.jpg"))]
    pairs = [pair for pair in pairs if pair[1].is_file()][:MOST]
    about = READY["expression"]
    net = load_ready("expression")
    happy = np.stack([_face(one, about.size, 1.0) for one, _ in pairs])
    persons = np.array([one.stem for one, _ in pairs])
    given = Measured("expression", "shipped", net, about.normalisation, happy, persons, persons)
    named = given.score(happy).argmax(1)
    yield Measured("expression", "shipped", net, about.normalisation, happy, named, persons)
    about = READY["identity"]
    net = load_ready("identity")
    happy, calm = (np.stack([_face(pair[k], about.size, 1.3) for pair in pairs]) for k in (0, 1))
    given = Measured("identity", "shipped", net, about.normalisation, happy, persons, persons)
    known = nn.Linear(128, len(pairs), bias=False)
    known.weight.data = torch.tensor(given.score(calm)).float()
    whole = nn.Sequential(net, known.requires_grad_(False))
    own = np.arange(len(pairs))
    yield Measured("identity", "shipped", whole, about.normalisation, happy, own, persons)


def _face(file: Path, size: int, width: float) -> np.ndarray:
    picture = read(file)
    (face,) = faces.find(picture, nearest=True)
    return faces.crop(picture, face.landmarks, size, width=width)


# --- small networks that learn here ---


def conv(given: int, made: int, kernel: int = 3, **options: int) -> nn.Conv2d:
    """Without a bias."""
    return nn.Conv2d(given, made, kernel, padding=kernel // 2, bias=False, **options)


class Plain(nn.Sequential):
    """Convolution, batch norm, ReLU."""

    def __init__(self, given: int, made: int) -> None:
        super().__init__(conv(given, made), nn.BatchNorm2d(made), nn.ReLU(), nn.MaxPool2d(2))


class SqueezeExcitation(nn.Module):
    """An inverted block with a gate of sigmoid, as in MobileNetV3 and EfficientNet."""

    def __init__(self, given: int, made: int) -> None:
        super().__init__()
        wide = 2 * given
        self.expand = nn.Sequential(conv(given, wide, 1), nn.BatchNorm2d(wide), nn.SiLU())
        self.by_channel = nn.Sequential(
            conv(wide, wide, groups=wide), nn.BatchNorm2d(wide), nn.SiLU()
        )
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(wide, 8, 1), nn.SiLU(),
            nn.Conv2d(8, wide, 1), nn.Sigmoid(),
        )  # fmt: skip
        self.project = nn.Sequential(conv(wide, made, 1), nn.BatchNorm2d(made))
        self.pool = nn.AvgPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        """Half the side."""
        y = self.by_channel(self.expand(x))
        return self.pool(self.project(y * self.gate(y)))


class Dense(nn.Module):
    """Batch norm and ReLU before each convolution, and what was before beside it (DenseNet)."""

    def __init__(self, given: int, made: int) -> None:
        super().__init__()
        grown = made - given
        self.layer = nn.Sequential(
            nn.BatchNorm2d(given), nn.ReLU(), conv(given, 2 * grown, 1),
            nn.BatchNorm2d(2 * grown), nn.ReLU(), conv(2 * grown, grown),
        )  # fmt: skip
        self.pool = nn.AvgPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        """Half the side."""
        return self.pool(torch.cat((x, self.layer(x)), 1))


class Residual(nn.Module):
    """Batch norm before the convolution, PReLU, a shortcut (insightface's iresnet)."""

    def __init__(self, given: int, made: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.BatchNorm2d(given), conv(given, made), nn.BatchNorm2d(made), nn.PReLU(made),
            conv(made, made, stride=2), nn.BatchNorm2d(made),
        )  # fmt: skip
        self.shortcut = nn.Sequential(conv(given, made, 1, stride=2), nn.BatchNorm2d(made))

    def forward(self, x: Tensor) -> Tensor:
        """Half the side."""
        return self.block(x) + self.shortcut(x)


class Normed(nn.Module):
    """A large kernel by channel, layer norm, GELU (ConvNeXt)."""

    def __init__(self, given: int, made: int) -> None:
        super().__init__()
        self.by_channel = nn.Conv2d(given, given, 5, padding=2, groups=given)
        self.norm, self.wide = nn.LayerNorm(given), nn.Linear(given, 3 * given)
        self.narrow, self.down = nn.Linear(3 * given, given), nn.Conv2d(given, made, 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Half the side."""
        y = self.norm(self.by_channel(x).permute(0, 2, 3, 1))
        y = self.narrow(F.gelu(self.wide(y))).permute(0, 3, 1, 2)
        return self.down(x + y)


FAMILIES: dict[str, Callable[[int, int], nn.Module]] = {
    "squeeze-and-excitation, SiLU (EfficientNet)": SqueezeExcitation,
    "convolutions and batch norm (VGG)": Plain,
    "batch norm before ReLU, concatenation (DenseNet)": Dense,
    "batch norm before, PReLU, sums (iresnet)": Residual,
    "layer norm, GELU (ConvNeXt)": Normed,
}


def trained() -> Iterator[Measured]:
    """Small networks of each family, on persons that they have not seen."""
    sample = emorank.load_dataset(None, "sample")
    table = sample.table
    images = np.stack([sample.read(image)[::4, ::4] for image in table["image"]])
    names = sorted(table["emotion"].unique())
    labels = np.array([names.index(emotion) for emotion in table["emotion"]])
    unseen = (table["person"] >= "p11").to_numpy()
    half = Normalisation((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    for name, block in FAMILIES.items():
        torch.manual_seed(0)
        first = nn.Conv2d(3, 16, 3, padding=1)
        widths = (16, 24, 32, 48)
        blocks = [block(a, b) for a, b in pairwise(widths)]
        end = (nn.BatchNorm2d(48), nn.ReLU(), nn.AdaptiveAvgPool2d(3), nn.Flatten())
        net = nn.Sequential(first, *blocks, *end, nn.Linear(48 * 9, len(names)))
        given = Measured(name, "of the sample", net, half, images, labels, labels)
        _learn(net, given.batch(images[~unseen]), torch.tensor(labels[~unseen]))
        named = given.score(images).argmax(1)
        right = np.flatnonzero(unseen & (named == labels))
        print(f"{name}: accuracy {len(right) / unseen.sum():.2f}", file=sys.stderr)
        few = np.sort(np.random.default_rng(0).permutation(right)[:MOST])
        persons = table["person"].to_numpy()[few]
        gates = block is SqueezeExcitation
        yield Measured(name, given.weights, net, half, images[few], labels[few], persons, gates)


def _learn(net: nn.Module, images: Tensor, labels: Tensor) -> None:
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-2)
    net.train()
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(images)).split(32):
            flip = images[batch].flip(3) if torch.rand(()) < 0.5 else images[batch]
            loss = F.cross_entropy(net(flip), labels[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    net.eval().requires_grad_(False)


# --- what is measured ---


def maps_of(one: Measured) -> Iterator[tuple[str, np.ndarray]]:
    """The blind maps, and those of each preset, by name."""
    for name in BLIND:
        yield name, blind_map(name, one.images, np.random.default_rng(0))
    low, high = one.normalisation.bounds()
    for name in PRESETS:
        for products in ("signal", "even") if one.gates else ("signal",):
            rules = override_preset(name, products=products)
            explain = prepare(one.net, rules, low=low, high=high)
            record = explain(one.batch(one.images), torch.tensor(one.target))
            shared = ", products even" if products == "even" else ""
            yield name + shared, record.pixels.sum(1).double().numpy()


def measure(one: Measured) -> Iterator[dict[str, object]]:
    """The rows of a network."""
    logits = one.score(one.images)
    spread = logits.std()
    maps = dict(maps_of(one))
    for fill in FILLS:
        at = ends(one.score, one.images, fill, np.random.default_rng(0))
        found = {
            name: curves(
                one.score, one.images, found, one.target, fill, at, np.random.default_rng(0)
            ).between()
            / spread
            for name, found in maps.items()
        }
        for name, values in found.items():
            row = {"network": one.name, "weights": one.weights, "map": name, "fill": fill}
            row |= {"faces": len(values), "persons": len(set(one.persons))}
            row |= _interval("between", values, one.persons)
            row |= _interval("less edges", values - found["edges"], one.persons)
            signal = found.get(name.removesuffix(", products even"), values)
            if name.endswith(", products even"):
                row |= _interval("less signal", values - signal, one.persons)
            yield row


def _interval(name: str, values: np.ndarray, persons: np.ndarray) -> dict[str, float]:
    """The mean, and its 95 % bootstrap interval over persons."""
    rng = np.random.default_rng(0)
    groups = [values[persons == person] for person in np.unique(persons)]
    sums, counts = (np.array([f(group) for group in groups]) for f in (np.sum, len))
    drawn = rng.integers(0, len(groups), (RESAMPLES, len(groups)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return {name: values.mean(), f"{name} low": low, f"{name} high": high}


def table(found: pd.DataFrame) -> str:
    """The rows as they stand in docs/faithfulness.md."""
    lines = [
        "| network | map | mean | blur | less edges, mean | less edges, blur |",
        "|---" * 6 + "|",
    ]
    for (network, name), rows in found.groupby(["network", "map"], sort=False):
        by_fill = rows.set_index("fill")
        cells = [
            "–" if column == "less edges" and name == "edges" else _cell(by_fill.loc[fill], column)
            for column in ("between", "less edges")
            for fill in FILLS
        ]
        lines.append(f"| {network} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(row: pd.Series, column: str) -> str:
    numbers = (row[name] for name in (column, f"{column} low", f"{column} high"))
    value, low, high = (f"{number + 0:.2f}".replace("-", "−") for number in numbers)
    return f"{value} [{low}, {high}]"


if __name__ == "__main__":
    target, *folders = sys.argv[1:] or sys.exit(__doc__)
    shipped = [network for folder in folders for network in ready(Path(folder))]
    rows = []
    for network in chain(shipped, trained()):
        rows += measure(network)
        pd.DataFrame(rows).round(3).to_csv(target, index=False)
        print(f"{network.name}: done", file=sys.stderr)
