"""Worker processes that share the shards of a run. One that dies or hangs is replaced.

What it did is in its shard's journal, so only the images in hand are read again.
"""

import multiprocessing
import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from emorank.errors import EmorankError
from emorank.scale.attempts import ENOUGH, Attempts
from emorank.scale.run_folder import RunFolder
from emorank.scale.shard import Task
from emorank.scale.worker import DONE, FAILED, READY, STEP, Bounds, error_of, work

_ITSELF = ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGSYS", "SIGTRAP")
_TO_LOAD = 300.0  # seconds in which a worker must have loaded its network
_LOOK = 1.0  # seconds between two looks at the clock
_IN_VAIN = 5  # deaths of workers in a row without any step, or at a shard without an image in hand


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
    _Supervisor(task, folder, shards, report, bounds, time_limit).run(workers)


class _Supervisor:
    def __init__(
        self,
        task: Task,
        folder: RunFolder,
        shards: Iterator[int],
        report: Callable[[int, int, int, int], None],
        bounds: Bounds,
        time_limit: float,
    ) -> None:
        self.task, self.folder, self.shards = task, folder, shards
        self.report, self.bounds, self.time_limit = report, bounds, time_limit
        self.again: deque[int] = deque()
        self.workers: list[_Worker] = []
        self.in_vain: Counter[int | None] = Counter()

    def run(self, count: int) -> None:
        """Until every shard is done."""
        try:
            while True:
                while len(self.workers) < count and (shard := self._next()) is not None:
                    self.again.appendleft(shard)
                    self.workers.append(self._start())
                    for worker in self.workers:
                        self._give(worker)
                if not self.workers:
                    return
                self._look()
        finally:
            self._stop()

    def _next(self) -> int | None:
        """The next shard; those of dead workers first, None if all are given."""
        return self.again.popleft() if self.again else next(self.shards, None)

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=work, args=(theirs, self.task, self.folder, self.bounds), daemon=True
        )
        process.start()
        theirs.close()
        return _Worker(process, ours, time.monotonic())

    def _give(self, worker: _Worker) -> None:
        """A shard to a worker that has none; without any left, it ends."""
        if worker.shard is not None:
            return
        worker.shard = self._next()
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
        spoken = set(wait(places, _LOOK))
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
        worker.heard = time.monotonic()
        if kind == READY:
            worker.ready = True
            self.in_vain[None] = 0
        elif kind == STEP and worker.shard is not None:
            images, excluded, kept = parts
            if images > kept:
                self.in_vain[worker.shard] = 0
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
        if worker.shard is None:
            return
        at_image = worker.ready and Attempts(self.folder.unfinished(worker.shard, ".json")).fold(
            cause, certain=certain
        )
        if not at_image:
            about = worker.shard if worker.ready else None
            self.in_vain[about] += 1
            if self.in_vain[about] >= _IN_VAIN:
                raise EmorankError(
                    f"{_IN_VAIN} workers in a row ended "
                    + (
                        f"at shard {about} and at none of its images"
                        if worker.ready
                        else "before they had loaded the network"
                    )
                    + f": the last one {cause}. Try --workers 0, which works in this process; in "
                    "a program of yours, call it below: if __name__ == '__main__':"
                )
        self.again.appendleft(worker.shard)

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

    def _stop(self) -> None:
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


def _wait_for_end(process: SpawnProcess, most: float = 30.0) -> None:
    """Until the system knows how a process ended: its pipes close before that."""
    begun = time.monotonic()
    while process.exitcode is None:
        if time.monotonic() - begun > most:
            process.kill()
        time.sleep(0.01)
