"""A run over any number of images, whatever is asked of them; stopped, it goes on."""

import logging
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from filelock import FileLock

from emorank.cores import cores, threads_of
from emorank.environment import check_online
from emorank.errors import EmorankError, PlanError, StudyError
from emorank.progress import Progress, silent
from emorank.scale.given_images import STDIN
from emorank.scale.merge import Counts, merge_excluded, merge_rows, unfinished
from emorank.scale.object_store import is_address
from emorank.scale.part import read_ends
from emorank.scale.ray_tasks import Cluster, run_on_ray
from emorank.scale.run_folder import Run, RunFolder
from emorank.scale.shard import do_shard, missing
from emorank.scale.supervisor import run_shards
from emorank.scale.task import Loaded, Task, load
from emorank.scale.work_list import write_list
from emorank.scale.worker import Bounds

_LOG = logging.getLogger(__name__)
FEW = 64
"""So many images, or fewer, are read in this process unless workers are asked for."""
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
        maps: the folder of what is kept beside the rows; None if nothing is.
    """

    counts: Counts | None
    ranks: Path | None = None
    excluded: Path | None = None
    missing: int = 0
    maps: Path | None = None


@dataclass(frozen=True)
class How:
    """Who does the work; `rank_many` says what the arguments are.

    Raises:
        PlanError: they do not go together.
    """

    workers: int | None = None
    time_limit: float = TIME_LIMIT
    memory: int = MEMORY
    shard: tuple[int, int] | None = None
    ray: str | None = None
    ray_cores: int = 1
    overwrite: bool = False
    progress: Progress = silent

    def __post_init__(self) -> None:
        if self.shard is not None and not 1 <= self.shard[0] <= self.shard[1]:
            raise PlanError(f"shard {self.shard[0]}/{self.shard[1]}: expected I/N with 1 ≤ I ≤ N")
        if self.ray is not None and (self.shard is not None or self.workers == 0):
            raise PlanError(
                "ray gives the shards to its own tasks: not with shard, nor with workers=0"
            )


def run_many(
    task: Task, images: Path | str | Iterable[Path | str], out: Path, table: Path | None, how: How
) -> Outcome:
    """Begin a run or go on with it.

    Args:
        task: what is asked of every image.
        images: as `rank_many` takes them.
        out: the folder that is asked for; with a table its parts are in a folder beside that.
        table: what the parts are merged into at the end; None to leave them as they are.
        how: who does the work.

    Raises:
        StudyError: `out` is there already, or is unfinished work of another command.
        OfflineError: a cluster is to be reached, and emorank is told to open no connection.
        EmorankError: as `rank_many`.
    """
    given = (images,) if isinstance(images, Path | str) else images
    return _Job(task, out, table, how).run(given)


@dataclass(frozen=True)
class _Job:
    task: Task
    out: Path
    table: Path | None
    how: How

    @property
    def folder(self) -> RunFolder:
        """Where the parts are: the folder that is asked for, or one beside the table."""
        if self.table is None:
            return RunFolder(self.out)
        return RunFolder(self.table.with_name(f"{self.table.name}.partial"))

    @property
    def on_gpu(self) -> bool:
        """Whether a GPU computes."""
        return self.task.device.startswith("cuda")

    def run(self, given: Iterable[Path | str]) -> Outcome:
        """Begin or go on; the work of another command is refused."""
        if self.how.ray is not None:
            cluster = f"work on a cluster (--ray {self.how.ray})"
            check_online(cluster, "without --ray this machine does it all")
            if self.task.device != "cpu":
                raise PlanError(f"tasks on Ray compute on the CPU, not on '{self.task.device}'")
        loaded = load(self.task)  # what is refused is refused before anything is written
        run = self._run(given)
        try:
            self._work(run, loaded)
        except EmorankError:
            if self.task.strict:
                self.folder.discard()
            raise
        return self._end(run)

    def _run(self, given: Iterable[Path | str]) -> Run:
        """What defines this run, from its folder or written there."""
        from emorank.study.folder import fingerprint

        folder, state = self.folder, self.task.key
        asked = ""  # what comes from an iterator is gone once it was read
        if isinstance(given, list | tuple):
            names = [str(one) for one in given]
            local = [name for name in names if not is_address(name) and name != STDIN]
            here = str(Path.cwd()) if any(not Path(name).is_absolute() for name in local) else ""
            asked = fingerprint(here, names)
        self._refuse_results()
        folder.path.parent.mkdir(parents=True, exist_ok=True)
        run = self._before(folder, state, asked)
        if run is not None:
            return run
        folder.path.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.path / "list.lock"):  # one of several tasks writes the list
            return folder.read() or write_list(folder, state, asked, given, self._listed)

    def _refuse_results(self) -> None:
        if self.table is None or self.how.overwrite:
            return
        for path in (self.table, self.excluded):
            if path.exists():
                raise StudyError(
                    f"{path} is there already; give another name, or --overwrite "
                    "(overwrite=True) to replace it"
                )

    def _before(self, folder: RunFolder, state: str, asked: str) -> Run | None:
        """The run that is in the folder already, if it is of this command."""
        overwrite = self.how.overwrite
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
                "other options, or of another network, or of other images; give another name, or "
                "--overwrite (overwrite=True) to begin anew"
            )
        if own:
            folder.discard()
        else:
            folder.path.unlink()
        return None

    def _listed(self, images: int) -> None:
        self.how.progress(images, 0, "listed")

    def _work(self, run: Run, loaded: Loaded) -> None:
        folder, how = self.folder, self.how
        workers = self._workers(run)
        tally = _Tally(run.images, how.progress)
        first, step = (how.shard[0] - 1, how.shard[1]) if how.shard else (0, 1)
        shards = self._to_do(range(first, run.shards, step), tally)
        _LOG.info(
            "images: %s, shards: %s, in %s; worker processes: %s",
            *(f"{run.images:,}", f"{run.shards:,}", folder.path, workers),
        )
        if how.ray is not None:
            run_on_ray(
                loaded,
                folder,
                run,
                shards,
                tally.step,
                cluster=Cluster(how.ray, how.ray_cores, how.workers),
                memory=how.memory,
                time_limit=how.time_limit,
            )
            return
        if not workers:
            for shard in shards:
                do_shard(loaded, folder, shard, partial(tally.step, shard))
            return
        run_shards(
            self.task,
            folder,
            shards,
            tally.step,
            workers=workers,
            bounds=Bounds(threads_of(workers), 0 if self.on_gpu else how.memory),
            time_limit=how.time_limit,
        )

    def _to_do(self, shards: range, tally: "_Tally") -> Iterator[int]:
        """The shards that are not finished; looked at one by one, when one is wanted."""
        for shard in shards:
            if missing(self.folder, shard):
                yield shard
            else:
                _LOG.debug("shard %d is done", shard)
                tally.before(len(read_ends(self.folder.finished(shard)) or ()))

    def _workers(self, run: Run) -> int:
        if self.how.workers is not None:
            return min(self.how.workers, run.shards)
        most = cores()
        if self.on_gpu:
            from emorank.networks.devices import device_of, memory_of

            most = min(most, max(1, memory_of(device_of(self.task.device)) // ON_GPU))
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
        maps = folder.path / "maps"
        return Outcome(counts, ranks, excluded, maps=maps if maps.is_dir() else None)

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
