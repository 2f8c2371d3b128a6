"""What a GPU's number formats do to the levels, emotions and scores of real faces, on a CPU.

The shipped network reads the sample's faces. TensorFloat-32 is reckoned by rounding what goes into
each convolution to its 10 bits; bfloat16 is PyTorch's autocast.
"""

from collections.abc import Callable
from copy import deepcopy
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.timing import table
from emorank.networks.normalisation import to_batch
from emorank.reading.measured import Measured
from emorank.study.readers import reader_of

FACES = Path(str(files("emorank.datasets"))) / "sample_faces" / "faces"
BATCH = 16


def main() -> str:
    reader = reader_of(None)
    paths = sorted(str(path) for path in FACES.iterdir())
    pixels = [view.pixels for view in reader.views(paths, nearest=True)]
    net = reader.network.net
    rank = next(iter(reader.ranks.values()))

    def said(run: Callable[[Tensor], Tensor]) -> tuple[np.ndarray, ...]:
        parts = []
        for start in range(0, len(pixels), BATCH):
            batch = to_batch(pixels[start : start + BATCH], reader.network.normalisation)
            with torch.inference_mode():
                parts.append(run(batch).float().numpy())
        measured = Measured(reader.network)
        vars(measured)["logits"] = np.concatenate(parts)
        ranked, named = rank(measured), measured.table
        level = ranked["level"].fillna(-1).to_numpy(int)
        columns = (named["predicted"].to_numpy(str), named["expressed"].to_numpy(str))
        return level, *columns, ranked["score"].to_numpy()

    exact = said(net)
    rows: list[list[object]] = []
    for name, run in {"TensorFloat-32": _tensor_float(net), "bfloat16": _bfloat(net)}.items():
        found = said(run)
        same = [int((a == b).sum()) for a, b in zip(exact[:3], found[:3], strict=True)]
        rows.append([name, *same, f"{np.abs(exact[3] - found[3]).max():.2f}"])
    header = ["", "same level", "same named emotion", "same ranked emotion", "largest change"]
    about = f"\n\n{len(pixels)} faces; the scores' standard deviation is {exact[3].std():.1f}."
    return table(header, rows) + about


def _tensor_float(net: nn.Module) -> nn.Module:
    rounded = deepcopy(net)
    for layer in rounded.modules():
        if isinstance(layer, nn.Conv2d):
            layer.weight.data = _ten_bits(layer.weight.data)
            layer.register_forward_pre_hook(lambda _, inputs: (_ten_bits(inputs[0]),))
    return rounded


def _ten_bits(numbers: Tensor) -> Tensor:
    """The nearest numbers with a mantissa of 10 bits in place of 23."""
    bits = numbers.contiguous().view(torch.int32)
    return ((bits + 0x1000) & ~0x1FFF).view(torch.float32)


def _bfloat(net: nn.Module) -> Callable[[Tensor], Tensor]:
    def run(batch: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            result: Tensor = net(batch)
        return result

    return run


if __name__ == "__main__":
    print(main())
