"""Rank any number of images into a table or a folder of parts; stopped, it goes on."""

import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from emorank.cores import cores, threads_of
from emorank.errors import EmorankError, PlanError, StudyError
from emorank.progress import Progress, silent
from emorank.scale.given_images import STDIN
from emorank.scale.merge import Counts, merge_excluded, merge_rows, unfinished
from emorank.scale.object_store import is_address
from emorank.scale.part import read_ends
from emorank.scale.ray_tasks import Cluster, run_on_ray
from emorank.scale.run_folder import Run, RunFolder
from emorank.scale.shard import Ranker, Task, load, missing, rank_shard
from emorank.scale.supervisor import run_shards
from emorank.scale.work_list import write_list
from emorank.scale.worker import Bounds

if TYPE_CHECKING:
    import torch

    from emorank.study.folder import Study

FEW = 64
"""So many images, or fewer, are read in this process unless workers are asked for."""
ENDINGS = (".csv", ".parquet")
EXPECTED = "expected a name ending in .csv or .parquet, or a folder's name without an ending"
TIME_LIMIT = 60.0
MEMORY = 2_000_000_000
ON_GPU = 3_000_000_000
"""Bytes of a GPU for each worker: torch and its context, a network and a batch. Not measured."""


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes:
        counts: of images, faces and reasons; None while shards of other processes are missing.
        ranks: the table, or the folder of its parts; None if there are no rows.
        excluded: the table of excluded images; None if there are none.
        missing: shards that other processes have not finished.
    """

    counts: Counts | None
    ranks: Path | None = None
    excluded: Path | None = None
    missing: int = 0


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
    key: str = "",
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
        key: what else tells commands apart.
        crops: as in `rank_images`.

    Raises:
        StudyError: `out` is there already, or is unfinished work of another command.
        EmorankError: as `rank_images`; or no worker can start; or as `ray_tasks.run_on_ray`.
        ImageError: an image cannot be used, if `strict`; or a folder holds no picture.
        OSError: a part cannot be written.
    """
    if shard is not None and not 1 <= shard[0] <= shard[1]:
        raise PlanError(f"shard {shard[0]}/{shard[1]}: expected I/N with 1 ≤ I ≤ N")
    out = Path(out)
    table = out if out.suffix in ENDINGS else None
    if not table and out.suffix and not out.is_dir():
        raise PlanError(f"{out}: {EXPECTED}")
    if table is not None and shard is not None:
        raise PlanError(f"{out}: tasks that share the work need a folder, not one table")
    if ray is not None and (shard is not None or workers == 0):
        raise PlanError("ray gives the shards to its own tasks: not with shard, nor with workers=0")
    cluster = None if ray is None else Cluster(ray, ray_cores, workers)
    task = Task(
        _opened(study), (rank,) if isinstance(rank, str) else tuple(rank), emotion, crop,
        nearest, strict, compounds, device, crops,
    )  # fmt: skip
    given = (images,) if isinstance(images, Path | str) else images
    job = _Job(task, out, table, workers, memory, time_limit, shard, cluster, progress)
    return job.run(given, key, overwrite)


@dataclass(frozen=True)
class _Job:
    task: Task
    out: Path
    table: Path | None
    workers: int | None
    memory: int
    time_limit: float
    share: tuple[int, int] | None
    cluster: Cluster | None
    progress: Progress

    @property
    def folder(self) -> RunFolder:
        """Where the parts are: the folder that is asked for, or one beside the table."""
        if self.table is None:
            return RunFolder(self.out)
        return RunFolder(self.table.with_name(f"{self.table.name}.partial"))

    @property
    def device(self) -> str:
        """What computes: "cpu", "cuda" or another kind of device."""
        return self._place.type

    @property
    def _place(self) -> "torch.device":
        from emorank.networks.devices import device_of

        study = self.task.study
        return device_of(self.task.device or (study.plan.model.device if study else "cpu"))

    def run(self, given: Iterable[Path | str], key: str, overwrite: bool) -> Outcome:
        """Begin or go on; the work of another command is refused."""
        if self.cluster is not None and self.device != "cpu":
            raise PlanError(f"tasks on Ray compute on the CPU, not on '{self.device}'")
        ranker = load(self.task)  # what is refused is refused before anything is written
        run = self._run(given, key, overwrite)
        try:
            self._work(run, ranker)
        except EmorankError:
            if self.task.strict:
                self.folder.discard()
            raise
        return self._end(run)

    def _run(self, given: Iterable[Path | str], key: str, overwrite: bool) -> Run:
        """What defines this run, from its folder or written there."""
        from emorank.study.answer_store import RankStates
        from emorank.study.folder import fingerprint

        folder, task = self.folder, self.task
        options = [task.crop, task.nearest, task.compounds, task.emotion, key]
        options += [self.device] if self.device != "cpu" else []
        options += [f"{task.crops} crops"] if task.crops > 1 else []
        state = RankStates(task.study).of("".join(task.ranks[:1]), list(task.ranks), *options)
        asked = ""  # what comes from an iterator is gone once it was read
        if isinstance(given, list | tuple):
            names = [str(one) for one in given]
            local = [name for name in names if not is_address(name) and name != STDIN]
            here = str(Path.cwd()) if any(not Path(name).is_absolute() for name in local) else ""
            asked = fingerprint(here, names)
        self._refuse_results(overwrite)
        folder.path.parent.mkdir(parents=True, exist_ok=True)
        run = self._before(folder, state, asked, overwrite)
        if run is not None:
            return run
        folder.path.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.path / "list.lock"):  # one of several tasks writes the list
            return folder.read() or write_list(folder, state, asked, given, self._listed)

    def _refuse_results(self, overwrite: bool) -> None:
        if self.table is None or overwrite:
            return
        for path in (self.table, self.excluded):
            if path.exists():
                raise StudyError(
                    f"{path} is there already; give another name, or --overwrite "
                    "(overwrite=True) to replace it"
                )

    def _before(self, folder: RunFolder, state: str, asked: str, overwrite: bool) -> Run | None:
        """The run that is in the folder already, if it is of this command."""
        own = not folder.path.is_file()
        run = folder.read() if own else None
        if own and run is None:
            if foreign := folder.foreign:
                raise StudyError(
                    f"{folder.path}: holds other things ({foreign[0]}); give a new folder"
                )
            return None
        same = run is not None and run.key == state and run.given == asked
        if same and run is not None and not (overwrite and not unfinished(folder, run)):
            return run
        if not overwrite:
            whole = self.table is None and run is not None and not unfinished(folder, run)
            raise StudyError(
                f"{folder.path} is the {'' if whole else 'unfinished '}result of a command with "
                "other options, or of another network, or of other images; give another --out, or "
                "--overwrite (overwrite=True) to begin anew"
            )
        if own:
            folder.discard()
        else:
            folder.path.unlink()
        return None

    def _listed(self, images: int) -> None:
        self.progress(images, 0, "listed")

    def _work(self, run: Run, ranker: Ranker) -> None:
        folder = self.folder
        workers = self._workers(run)
        tally = _Tally(run.images, self.progress)
        first, step = (self.share[0] - 1, self.share[1]) if self.share else (0, 1)
        shards = self._to_do(range(first, run.shards, step), tally)
        if self.cluster is not None:
            run_on_ray(
                ranker,
                folder,
                run,
                shards,
                tally.step,
                cluster=self.cluster,
                memory=self.memory,
                time_limit=self.time_limit,
            )
            return
        if not workers:
            for shard in shards:
                rank_shard(ranker, folder, shard, partial(tally.step, shard))
            return
        run_shards(
            self.task,
            folder,
            shards,
            tally.step,
            workers=workers,
            bounds=Bounds(threads_of(workers), 0 if self.device == "cuda" else self.memory),
            time_limit=self.time_limit,
        )

    def _to_do(self, shards: range, tally: "_Tally") -> Iterator[int]:
        """The shards that are not finished; looked at one by one, when one is wanted."""
        for shard in shards:
            if missing(self.folder, shard):
                yield shard
            else:
                tally.before(len(read_ends(self.folder.finished(shard)) or ()))

    def _workers(self, run: Run) -> int:
        if self.workers is not None:
            return min(self.workers, run.shards)
        most = cores()
        if self.device == "cuda":
            from emorank.networks.devices import memory_of

            most = min(most, max(1, memory_of(self._place) // ON_GPU))
        return 0 if run.images <= FEW else min(most, run.shards)

    def _end(self, run: Run) -> Outcome:
        folder = self.folder
        if left := unfinished(folder, run):
            return Outcome(None, missing=left)
        counts = merge_excluded(folder, run, self.excluded)
        excluded = self.excluded if self.excluded.exists() else None
        ranks = (self.table or folder.path / "ranks") if counts.faces else None
        if self.table is None:
            shutil.rmtree(folder.path / "unfinished", ignore_errors=True)
        else:
            merge_rows(folder, run, self.table)
            folder.discard()
        return Outcome(counts, ranks, excluded)

    @property
    def excluded(self) -> Path:
        """Where the excluded images are listed at the end."""
        if self.table is None:
            return self.folder.excluded
        return self.table.with_name(f"{self.table.stem}.excluded{self.table.suffix}")


class _Tally:
    """How far all shards are together, and how fast."""

    def __init__(self, images: int, progress: Progress) -> None:
        self.images, self.progress = images, progress
        self.known = 0
        self.shards: dict[int, tuple[int, int, int]] = {}
        self.begun = time.monotonic()

    def before(self, images: int) -> None:
        """Count images of a shard that an earlier call has finished."""
        self.known += images

    def step(self, shard: int, images: int, excluded: int, kept: int) -> None:
        """A shard has done so many images; `kept` of them an earlier call did."""
        self.shards[shard] = (images, excluded, kept)
        done, bad, before = (sum(column) for column in zip(*self.shards.values(), strict=True))
        rate = (done - before) / max(time.monotonic() - self.begun, 1e-9)
        words = f"{rate:.1f} a second" + (f", {bad:,} excluded" if bad else "")
        self.progress(self.known + done, self.images, words)


def _opened(study: "Study | Path | str | None") -> "Study | None":
    from emorank.study.folder import open_study

    return open_study(Path(study)) if isinstance(study, Path | str) else study
