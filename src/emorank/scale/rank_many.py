"""Rank any number of images into a table or a folder of parts; stopped, it goes on."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from emorank.errors import PlanError
from emorank.progress import Progress, silent
from emorank.scale.asked_ranks import ask_ranks, opened
from emorank.scale.many import MEMORY, TIME_LIMIT, How, Outcome, run_many

if TYPE_CHECKING:
    from emorank.study.folder import Study

ENDINGS = (".csv", ".parquet")
EXPECTED = "expected a name ending in .csv or .parquet, or a folder's name without an ending"


def rank_many(
    images: Path | str | Iterable[Path | str],
    out: Path | str,
    *,
    study: "Study | Path | str | None" = None,
    rank: str | Iterable[str] = (),
    emotion: str | None = None,
    crop: str | None = None,
    nearest: bool = False,
    strict: bool = False,
    compounds: bool = False,
    device: str | None = None,
    workers: int | None = None,
    time_limit: float = TIME_LIMIT,
    memory: int = MEMORY,
    shard: tuple[int, int] | None = None,
    ray: str | None = None,
    ray_cores: int = 1,
    overwrite: bool = False,
    progress: Progress = silent,
    crops: int = 1,
) -> Outcome:
    """Name and rank the expressed emotion of every face in any number of images, into `out`.

    The list of images is written first and cut into shards of about a thousand. Each shard ends as
    a part; what was done is not done again when the same call is made after a stop, a crash or a
    power cut. Images that have changed since are read again. An image that crashes its process,
    hangs it or takes too much memory is excluded, with that reason, and the others go on.

    Args:
        images: pictures, folders, tables of paths (CSV or Parquet with a column `image` or `path`),
            tar files, addresses such as "s3://bucket/folder", "-" for paths on the standard input;
            one, or any number.
        out: a name ending in .csv or .parquet is one table, written at the end from parts in
            `NAME.partial` beside it; any other is a folder, with `ranks/*.parquet` and
            `excluded.parquet`.
        study: whose network answers, or its folder; None for the shipped one.
        rank: as in `rank_images`; so are `emotion`, `crop`, `nearest` and `strict`.
        emotion: the one to rank in every face.
        crop: "face" or "none".
        nearest: only the nearest face of an image.
        strict: raise at the first image that cannot be used.
        compounds: add the columns of `add_compounds`.
        device: as in `read`. On a GPU `memory` does not hold: its driver reserves addresses.
        workers: processes; 0 works in this one. None: one for each core, or 0 for a few images; on
            a GPU no more than its memory holds.
        time_limit: seconds that a worker may spend on one step, such as one image.
        memory: bytes that a worker may take beyond those of its loaded network (on Linux).
        shard: (i, n): do only each n-th shard from the i-th on, 1 ≤ i ≤ n, for the tasks of a
            cluster that share a folder.
        ray: "auto" or the address of a cluster of Ray ("HOST:PORT") whose nodes do the shards; all
            see `images` and `out` under the same path. `workers` is then the most tasks at once.
        ray_cores: of each task there, and so many threads.
        overwrite: replace what is there, of whatever command.
        progress: is told how many images are done.
        crops: as in `rank_images`.

    Raises:
        StudyError: `out` is there already, or is unfinished work of another command.
        EmorankError: as `rank_images`; or no worker can start; or as `ray_tasks.run_on_ray`.
        ImageError: an image cannot be used, if `strict`; or a folder holds no picture.
        OSError: a part cannot be written.
    """
    how = How(workers, time_limit, memory, shard, ray, ray_cores, overwrite, progress)
    out = Path(out)
    table = out if out.suffix in ENDINGS else None
    if not table and out.suffix and not out.is_dir():
        raise PlanError(f"{out}: {EXPECTED}")
    if table is not None and shard is not None:
        raise PlanError(f"{out}: tasks that share the work need a folder, not one table")
    ranks = (rank,) if isinstance(rank, str) else tuple(rank)
    task = ask_ranks(
        opened(study), ranks, emotion, crop=crop, nearest=nearest, strict=strict,
        compounds=compounds, device=device, crops=crops,
    )  # fmt: skip
    return run_many(task, images, out, table, how)
