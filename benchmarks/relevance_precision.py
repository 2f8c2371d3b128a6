"""Relevance in float32, bfloat16 and float16 against float64: error of the map, change of rank.

On faces (photographs where ../shared/data is present, else the shipped sample), each explained for
the class that float64 predicts. The paper's rank needs the sign and scale of relevance only, but
counts scores in ten intervals, so a map that is off at the extremes moves them all.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmarks.candidates import explainer_of
from benchmarks.timing import cores, machine, table
from emorank import datasets, images
from emorank.errors import RelevanceError
from emorank.networks import training, weights
from emorank.networks.normalisation import to_batch
from emorank.networks.training import Recipe
from emorank.networks.vgg16 import VGG16
from emorank.ranking import rank
from emorank.relevance import PRESETS

LONDON = Path(__file__).parents[2] / "shared" / "data" / "london_faces"
FACES, SIDE, CLASSES = 8, 224, 7
TYPES = (torch.float32, torch.bfloat16, torch.float16)


def main(count: int = FACES, device: str = "") -> str:
    torch.set_num_threads(cores())
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    faces, source = _faces(count)
    state = weights.load()
    nets = {dtype: _net(state, dtype, device) for dtype in (torch.float64, *TYPES)}
    rows: list[list[object]] = []
    for preset in PRESETS:
        exact, target = _maps(nets[torch.float64], preset, faces)
        for dtype in TYPES:
            name = str(dtype).removeprefix("torch.")
            try:
                rough, _ = _maps(nets[dtype], preset, faces, target)
            except (RelevanceError, RuntimeError) as error:
                # An overflow, or an operation that this device lacks in the type.
                rows.append(
                    [preset, name, f"refused: {str(error).splitlines()[0][:80]}", *[""] * 3]
                )
            else:
                rows.append([preset, name, *_compared(rough, exact)])
    header = ["preset", "type", "greatest error", "relative L2 error", "Pearson correlation"]
    about = (
        f"\n\nVGG-16 with the ImageNet convolutions and a random head, {len(faces)} {source}, "
        f"{device}. Errors in units of the greatest relevance of the map, or of its norm: medians "
        "over faces, and the worst in brackets; correlations: medians, and the least."
    )
    return table([*header, f"ranks changed, of {len(faces)}"], rows) + about


def _faces(count: int) -> tuple[list[Tensor], str]:
    """Normalised faces of 224 pixels, (1, 3, 224, 224) each, and what they are."""
    if LONDON.is_dir():
        files = sorted(LONDON.glob("*/*.jpg"))
        # From all over the list: both expressions, many persons.
        chosen = [files[k] for k in np.linspace(0, len(files) - 1, count).astype(int)]
        read, source = [images.read(file) for file in chosen], "photographs (London Set)"
    else:
        sample = datasets.load(None, "sample")
        names = sample.table["image"].sample(count, random_state=0)
        read, source = [sample.read(name) for name in names], "rendered faces of the sample"
    resized = (np.asarray(Image.fromarray(face).resize((SIDE, SIDE))) for face in read)
    return [to_batch([face]) for face in resized], source


def _net(state: dict[str, Tensor], dtype: torch.dtype, device: str) -> VGG16:
    net = training.fresh(CLASSES, state, Recipe(seed=1)).eval()
    return net.requires_grad_(requires_grad=False).to(device, dtype)


def _maps(
    net: VGG16, preset: str, faces: list[Tensor], target: list[int] | None = None
) -> tuple[np.ndarray, list[int]]:
    """Relevance in float64, (faces, 3, 224, 224), and the classes that were explained."""
    explainer = explainer_of(net, preset)
    parameter = next(net.parameters())
    found = [
        explainer(face.to(parameter), None if target is None else target[k])
        for k, face in enumerate(faces)
    ]
    maps = torch.cat([each.pixels.cpu().double() for each in found]).numpy()
    return maps, [int(each.target) for each in found]


def _compared(rough: np.ndarray, exact: np.ndarray) -> Iterator[str]:
    """The cells of a row."""
    off, whole = (maps.reshape(len(maps), -1) for maps in (rough - exact, exact))
    for error in (
        np.abs(off).max(axis=1) / np.abs(whole).max(axis=1),
        np.linalg.norm(off, axis=1) / np.linalg.norm(whole, axis=1),
    ):
        yield f"{np.median(error):.1e} ({error.max():.1e})"
    alike = [np.corrcoef(r.ravel(), e.ravel())[0, 1] for r, e in zip(rough, exact, strict=True)]
    yield f"{np.median(alike):.5f} ({min(alike):.5f})"
    yield str(int((rank(rough).ranks != rank(exact).ranks).sum()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=int, default=FACES, help="how many (%(default)s)")
    options = parser.parse_args()
    print(machine())
    print(main(options.faces))
