"""Explain any number of images, and keep the relevance itself; stopped, it goes on."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from emorank.errors import PlanError
from emorank.progress import Progress, silent
from emorank.scale.asked_ranks import opened
from emorank.scale.asked_relevance import (
    AnyNetwork,
    ask_relevance_of_faces,
    ask_relevance_of_network,
)
from emorank.scale.many import MEMORY, TIME_LIMIT, How, Outcome, run_many
from emorank.study.explained_faces import Rules

if TYPE_CHECKING:
    from emorank.study.folder import Study


def explain_many(
    images: Path | str | Iterable[Path | str],
    out: Path | str,
    *,
    study: "Study | Path | str | None" = None,
    rank: str = "contrast",
    rules: Rules | None = None,
    network: AnyNetwork | Path | str | None = None,
    crop: str | None = None,
    nearest: bool = False,
    strict: bool = False,
    half: bool = False,
    device: str | None = None,
    workers: int | None = None,
    time_limit: float = TIME_LIMIT,
    memory: int = MEMORY,
    shard: tuple[int, int] | None = None,
    ray: str | None = None,
    ray_cores: int = 1,
    overwrite: bool = False,
    progress: Progress = silent,
) -> Outcome:
    """Keep the relevance of every face in any number of images, in a folder of parts.

    It is a run like that of `rank_many`: the same list of images, shards, workers and exclusions,
    and the same call goes on after a stop. `out/ranks/000000.parquet` has a row for each face, and
    `out/maps/000000.safetensors` arrays with a place for each of these rows, the first number of
    their shapes: `relevance` (rows, 3, side, side), float32, in units of the logit; `pixels`
    (rows, side, side, 3), uint8, what the network saw. The columns `maps` and `map` of the table
    say which file and which place. With a network of a file there is an array for each preset, by
    its name, and for each layer in `at` (`PRESET@LAYER`), and `logits` (rows, classes).

    Args:
        images: as `rank_many` takes them.
        out: a folder.
        study: whose network is explained, or its folder; None for the shipped one.
        rank: "contrast": why this expression and not neutral; "paper": the relevance of the
            expressed emotion; "ordinal", of a study: why this level and not the next.
        rules: of the propagation, in the place of the network's.
        network: any other network, a file of weights or an `AnyNetwork`, in the place of these
            three.
        crop: "face" or "none"; with `network` also "center"; None for the framing of the training.
        nearest: only the nearest face of an image.
        strict: raise at the first image that cannot be used.
        half: relevance in float16, which needs half the room and has three digits.
        device: as in `rank_many`; so are all that follow.
        workers: processes.
        time_limit: seconds that a worker may spend on one step.
        memory: bytes that a worker may take beyond those of its loaded network.
        shard: (i, n): do only each n-th shard from the i-th on.
        ray: "auto" or the address of a cluster of Ray.
        ray_cores: of each task there.
        overwrite: replace what is there, of whatever command.
        progress: is told how many images are done.

    Returns:
        What it came to; `maps` is the folder of the arrays.

    Raises:
        PlanError: `out` is no folder's name; or there is no such rank, crop, size or device.
        EmorankError: as `rank_many`, `explain_images` or `load_network`.
        OSError: a part cannot be written.
    """
    how = How(workers, time_limit, memory, shard, ray, ray_cores, overwrite, progress)
    out = Path(out)
    if out.suffix and not out.is_dir():
        raise PlanError(f"{out}: expected a folder's name, without an ending")
    if network is None:
        task = ask_relevance_of_faces(
            opened(study), rank, rules or Rules(), crop=crop, nearest=nearest, strict=strict,
            half=half, device=device,
        )  # fmt: skip
    else:
        if study is not None or rules is not None or rank != "contrast":
            raise PlanError("a network of a file has no study, rank or rules beside its own")
        other = network if isinstance(network, AnyNetwork) else AnyNetwork(network)
        task = ask_relevance_of_network(
            other, crop=crop, nearest=nearest, strict=strict, half=half, device=device
        )
    return run_many(task, images, out, None, how)
