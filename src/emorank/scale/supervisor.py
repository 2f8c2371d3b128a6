"""Worker processes that share the shards of a run. One that dies or hangs is replaced.

What it did is in its shard's journal, so only the images in hand are read again.
"""

import logging
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from emorank.errors import EmorankError
from emorank.scale.attempts import ENOUGH, Attempts
from emorank.scale.run_folder import RunFolder
from emorank.scale.task import Loaded, Task, load
from emorank.scale.to_do import IN_VAIN, ToDo
from emorank.scale.worker import DONE, FAILED, READY, SAYS, STEP, Bounds, error_of, work

_LOG = logging.getLogger(__name__)
_ITSELF = ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGSYS", "SIGTRAP")
_TO_LOAD = 300.0  # seconds in which a worker must have loaded its network
_LOOK = 1.0  # seconds between two looks at the clock


@dataclass
class _Worker:
    process: SpawnProcess
    connection: Connection
    heard: float
    shard: int | None = None
    ready: bool = False
    late: bool = False


def run_shards(
    task: Task,
    folder: RunFolder,
    shards: Iterator[int],
    report: Callable[[int, int, int, int], None],
    *,
    workers: int,
    bounds: Bounds,
    time_limit: float,
) -> None:
    """Do shards with so many worker processes.

    Args:
        task: what is asked of every image.
        folder: of the run.
        shards: their numbers, asked for one at a time.
        report: is told each step of each shard: its number, and what `shard.Report` says.
        workers: how many there are at once.
        bounds: of each.
        time_limit: seconds after which a worker that makes no step is killed.

    Raises:
        EmorankError: no worker can start, or the work itself is refused.
        OSError: a part cannot be written.
    """
    supervisor = Supervisor(partial(load, task), folder, bounds, time_limit)
    try:
        supervisor.run(ToDo(shards), report, workers)
    finally:
        supervisor.stop()


class Supervisor:
    """Worker processes and what is known of them; whoever makes one stops it.

    Args:
        make: loads the network, in each worker.
        folder: of the run.
        bounds: of each worker.
        time_limit: seconds after which a worker that makes no step is killed.
        keep: workers without a shard wait for the next `run`; else they end.
    """

    def __init__(
        self,
        make: Callable[[], Loaded],
        folder: RunFolder,
        bounds: Bounds,
        time_limit: float,
        *,
        keep: bool = False,
    ) -> None:
        self.make, self.folder, self.bounds = make, folder, bounds
        self.time_limit, self.keep = time_limit, keep
        self.workers: list[_Worker] = []
        self.to_do = ToDo(iter(()))
        self.report: Callable[[int, int, int, int], None]

    def run(self, to_do: ToDo, report: Callable[[int, int, int, int], None], count: int) -> None:
        """Do shards with so many workers until every one is done; raises as `run_shards`."""
        self.to_do, self.report = to_do, report
        for worker in list(self.workers):
            self._give(worker)
        while True:
            while len(self.workers) < count and (shard := to_do.next()) is not None:
                to_do.again(shard)
                self.workers.append(self._start())
                for worker in list(self.workers):
                    self._give(worker)
            if all(worker.shard is None for worker in self.workers):
                return
            self._look()

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=work,
            args=(theirs, self.make, self.folder, self.bounds, _LOG.getEffectiveLevel()),
            daemon=True,
        )
        process.start()
        theirs.close()
        _LOG.info("worker %s starts", process.pid)
        return _Worker(process, ours, time.monotonic())

    def _give(self, worker: _Worker) -> None:
        """A shard to a worker that has none; without any left, it ends or waits."""
        if worker.shard is not None:
            return
        worker.shard = self.to_do.next()
        if worker.shard is None and self.keep:
            return
        worker.heard = time.monotonic()
        try:
            worker.connection.send(worker.shard)
        except OSError:  # it has died, as its sentinel says
            return
        if worker.shard is None:
            self.workers.remove(worker)
            worker.process.join(10)
            worker.connection.close()

    def _look(self) -> None:
        """What workers say, which have died, and which hang."""
        places: list[Connection | int] = [worker.connection for worker in self.workers]
        places += [worker.process.sentinel for worker in self.workers]
        spoken = set(wait(places, min(_LOOK, self.time_limit)))
        for worker in list(self.workers):
            if worker.connection in spoken:
                self._hear(worker)
            elif worker.process.sentinel in spoken:
                self._bury(worker)
            elif time.monotonic() - worker.heard > (self.time_limit if worker.ready else _TO_LOAD):
                worker.late = True
                worker.process.kill()

    def _hear(self, worker: _Worker) -> None:
        try:
            kind, parts = worker.connection.recv()
        except (EOFError, OSError):
            self._bury(worker)
            return
        if kind == SAYS:  # no step: who only speaks may hang
            name, level, words = parts
            logging.getLogger(name).log(level, "worker %s: %s", worker.process.pid, words)
            return
        worker.heard = time.monotonic()
        if kind == READY:
            worker.ready = True
            self.to_do.went_on(None)
        elif kind == STEP and worker.shard is not None:
            images, excluded, kept = parts
            if images > kept:
                self.to_do.went_on(worker.shard)
            self.report(worker.shard, images, excluded, kept)
        elif kind == FAILED:
            raise error_of(parts)
        elif kind == DONE:
            worker.shard = None
            self._give(worker)

    def _bury(self, worker: _Worker) -> None:
        """Say at which image a worker died, and let another do the rest of its shard."""
        self.workers.remove(worker)
        worker.connection.close()
        _wait_for_end(worker.process)
        cause, certain = self._cause(worker)
        _LOG.info("worker %s has ended at shard %s: %s", worker.process.pid, worker.shard, cause)
        if worker.shard is None:
            return
        at_image = worker.ready and Attempts(self.folder.unfinished(worker.shard, ".json")).fold(
            cause, certain=certain
        )
        if not at_image:
            about = worker.shard if worker.ready else None
            if self.to_do.in_vain(about) >= IN_VAIN:
                raise EmorankError(
                    f"{IN_VAIN} workers in a row ended "
                    + (
                        f"at shard {about} and at none of its images"
                        if worker.ready
                        else "before they had loaded the network"
                    )
                    + f": the last one {cause}. Try --workers 0, which works in this process; in "
                    "a program of yours, call it below: if __name__ == '__main__':"
                )
        self.to_do.again(worker.shard)

    def _cause(self, worker: _Worker) -> tuple[str, bool]:
        """Of a death, and whether the process brought it about itself."""
        code = worker.process.exitcode
        if worker.late:
            return f"took more than {self.time_limit:g} s", True
        if code is None or code >= 0:
            return f"ended the process that read it (exit status {code})", True
        name = signal.Signals(-code).name
        if name in _ITSELF:
            return f"crashed the process that read it ({name})", True
        memory = "; perhaps it needs more memory than there is" if name == "SIGKILL" else ""
        return f"the process that read it was killed {ENOUGH} times ({name}){memory}", False

    def stop(self) -> None:
        """End all workers; what they have in hand is nobody's fault."""
        for worker in self.workers:
            worker.process.terminate()
        for worker in self.workers:
            worker.process.join(5)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join(5)
            worker.connection.close()
            if worker.shard is not None:
                Attempts(self.folder.unfinished(worker.shard, ".json")).close()
        self.workers = []


def _wait_for_end(process: SpawnProcess, most: float = 30.0) -> None:
    """Until the system knows how a process ended: its pipes close before that."""
    begun = time.monotonic()
    while process.exitcode is None:
        if time.monotonic() - begun > most:
            process.kill()
        time.sleep(0.01)
