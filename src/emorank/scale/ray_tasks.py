"""The shards of a run as tasks of Ray, on any number of machines that share the run's folder.

Ray gives a shard to a process on some node, and says when that process is gone. What was done of
the shard is in the folder, as on one machine, so it is given again, and Ray itself repeats nothing.
In its process the shard is done by a `Supervisor` with one worker, which stays for the next shard:
so an image that crashes, hangs or eats the memory is found as on one machine, with the same reason,
and no process of Ray dies of it.
"""

import logging
import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from emorank import __version__
from emorank.errors import EmorankError, MissingExtraError
from emorank.scale.attempts import Attempts
from emorank.scale.given_images import Item, state
from emorank.scale.run_folder import Run, RunFolder
from emorank.scale.shard import PATIENCE, ShardTaken
from emorank.scale.supervisor import Supervisor
from emorank.scale.task import Loaded
from emorank.scale.to_do import IN_VAIN, ToDo
from emorank.scale.work_list import read_shard
from emorank.scale.worker import Bounds, error_of, parts_of

Step = tuple[int, int, int]
"""Images of a shard that are done, excluded ones, and those that an earlier process did."""
_DONE, _TAKEN, _UNSEEN, _FAILED = "done", "taken", "unseen", "failed"
_LOOK = 1.0  # seconds between two looks at what was reported
_TO_CONNECT = 10.0  # seconds
_TO_SEE = 3.0  # seconds until a shared folder shows what another node has written
_SETTINGS = b"\x04"
_HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + _SETTINGS + bytes(5)
"""What a client of HTTP/2 says first, as gRPC does; the server's first frame has this kind."""
_COMPARED = ("torch", "numpy", "pillow", "onnxruntime")  # the numbers depend on them


@dataclass(frozen=True)
class Cluster:
    """Which cluster of Ray, and what a task takes of it.

    Attributes:
        address: "auto" for the one that this machine is a node of, or "HOST:PORT".
        cores: of each task.
        tasks: most at once; None for as many as there are cores for.
        ahead: how many more wait in Ray, so that no core waits for the next one.
        to_grow: seconds until a cluster without a node for the tasks has one.
        lock: seconds that a task waits for another process at its shard.
        locked: such waits before the run ends: a file server keeps a dead node's locks for 90 s.
    """

    address: str
    cores: int = 1
    tasks: int | None = None
    ahead: int = 2
    to_grow: float = 300.0
    lock: float = PATIENCE
    locked: int = 15


@dataclass(frozen=True)
class _Job:
    """What every task of a run is told. `loaded` refers to Ray's store, where it lies once."""

    folder: RunFolder
    run: Run
    bounds: Bounds
    time_limit: float
    directory: str
    versions: dict[str, str]
    loaded: list[Any]


def run_on_ray(
    loaded: Loaded,
    folder: RunFolder,
    run: Run,
    shards: Iterator[int],
    report: Callable[[int, int, int, int], None],
    *,
    cluster: Cluster,
    memory: int,
    time_limit: float,
) -> None:
    """Do shards on a cluster; the bounds are those of `run_shards`, for each task.

    Args:
        loaded: the task of the run; put into Ray's store once, from where each process loads it.
        folder: of the run, which all nodes must see under the same path, as the images.
        run: what is in the folder.
        shards: their numbers, asked for one at a time, when the cluster has room.
        report: is told of steps: the number of a shard, and what `shard.Report` says.
        cluster: where.
        memory: bytes that a worker may take beyond those of its loaded network (on Linux).
        time_limit: seconds that a worker may spend on one step, such as one image.

    Raises:
        MissingExtraError: Ray is not installed.
        EmorankError: the cluster is not reached, a node does not see the folder or the images or
            has other versions, or a shard is lost again and again.
        OSError: a part cannot be written.
    """
    with _connected(cluster.address) as ray:
        from ray import cloudpickle

        bounds = Bounds(cluster.cores, memory, cluster.lock)
        job = _Job(
            RunFolder(folder.path.resolve()), run, bounds, time_limit,
            str(Path.cwd()), _versions(), [ray.put(cloudpickle.dumps(loaded))],
        )  # fmt: skip
        driver = _Driver(ray, job, ToDo(shards), report, cluster)
        try:
            driver.run()
        finally:
            driver.stop()


class _Driver:
    def __init__(
        self,
        ray: Any,
        job: _Job,
        to_do: ToDo,
        report: Callable[[int, int, int, int], None],
        cluster: Cluster,
    ) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self.ray, self.job, self.to_do = ray, job, to_do
        self.report, self.cluster = report, cluster
        self.flying: dict[Any, int] = {}
        self.trusted: set[int] = set()
        self.taken: Counter[int] = Counter()
        self.grown = time.monotonic()
        self.task = ray.remote(num_cpus=cluster.cores, max_retries=0)(_do_shard)
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self.board = ray.remote(num_cpus=0, scheduling_strategy=here)(_Board).remote()

    def run(self) -> None:
        """Until every shard is done."""
        while True:
            self._fill()
            if not self.flying:
                return
            under_way = list(self.flying)
            self.ray.wait(under_way, timeout=_LOOK)
            self._tell()
            ended, _ = self.ray.wait(under_way, num_returns=len(under_way), timeout=0)
            for task in ended:
                self._land(task)

    def stop(self) -> None:
        """End all tasks; what they have in hand is nobody's fault."""
        with suppress(Exception):
            self.ray.kill(self.board)
            for task in self.flying:
                self.ray.cancel(task, force=True)
            if self.flying:
                self.ray.wait(list(self.flying), num_returns=len(self.flying), timeout=5)
        for shard in self.flying.values():
            Attempts(self.job.folder.unfinished(shard, ".json")).close()

    def _fill(self) -> None:
        """Give out shards as far as there are cores for them."""
        room = self._room()
        while len(self.flying) < room and (shard := self.to_do.next()) is not None:
            trusted = shard in self.trusted
            self.flying[self.task.remote(self.job, shard, self.board, trusted)] = shard

    def _room(self) -> int:
        cores = [int(node["Resources"].get("CPU", 0)) for node in self.ray.nodes() if node["Alive"]]
        asked = self.cluster.cores
        slots = sum(own // asked for own in cores)
        now = time.monotonic()
        if slots:
            self.grown = now
        elif any(cores) or now - self.grown > self.cluster.to_grow:
            raise EmorankError(
                f"no node of the cluster has {asked} cores for a task, the largest has "
                f"{max(cores, default=0)}; start nodes (ray start --address), or ask for less"
            )
        room = slots + self.cluster.ahead
        return room if self.cluster.tasks is None else min(room, self.cluster.tasks)

    def _tell(self) -> None:
        """Report the steps of tasks that are under way."""
        with suppress(self.ray.exceptions.RayError):
            for shard, step in self.ray.get(self.board.take.remote(), timeout=60).items():
                self._step(shard, step)

    def _step(self, shard: int, step: Step) -> None:
        images, excluded, kept = step
        if images > kept:
            self.to_do.went_on(shard)
        self.report(shard, images, excluded, kept)

    def _land(self, task: Any) -> None:
        """Take what a task says; a shard whose process or node is gone is given again."""
        shard = self.flying.pop(task)
        try:
            kind, said = self.ray.get(task)
        except self.ray.exceptions.RayTaskError as error:
            raise EmorankError(
                f"a task failed; is emorank installed on every node? Ray says:\n{error}"
            ) from error
        except self.ray.exceptions.RayError as error:
            self._lost(shard, error)
            return
        if kind == _DONE:
            self._step(shard, said)
        elif kind == _TAKEN:
            self.taken[shard] += 1
            if self.taken[shard] >= self.cluster.locked:
                raise error_of(said)
            self.to_do.again(shard, later=True)
        elif kind == _UNSEEN:
            node, item = said
            if state(item):
                raise EmorankError(
                    f"{node} does not see {item.tar or item.name}, which this machine sees; put "
                    "the images where all nodes have them under the same path"
                )
            self.trusted.add(shard)  # it is gone for everybody, and excluded with that reason
            self.to_do.again(shard)
        else:
            raise error_of(said)

    def _lost(self, shard: int, error: Exception) -> None:
        if self.to_do.in_vain(shard) >= IN_VAIN:
            raise EmorankError(
                f"shard {shard} was lost {IN_VAIN} times in a row without any image done; the last "
                f"time: {error}"
            ) from error
        self.to_do.again(shard)


class _Board:
    """An actor on the driver's node that tasks tell of their steps."""

    def __init__(self) -> None:
        self.steps: dict[int, Step] = {}

    def step(self, shard: int, step: Step) -> None:
        """A shard has come so far."""
        self.steps[shard] = step

    def take(self) -> dict[int, Step]:
        """What is new since it was last asked."""
        steps, self.steps = self.steps, {}
        return steps


def _do_shard(job: _Job, shard: int, board: Any, trusted: bool) -> tuple[str, Any]:
    """Do a shard in a process of Ray; errors are words, which need no class to be read."""
    try:
        _check_node(job)
        if not trusted and (unseen := _unseen(job, shard)):
            return _UNSEEN, (_node(), unseen)
        return _DONE, _supervised(job, shard, board)
    except ShardTaken as error:
        return _TAKEN, parts_of(error)
    except Exception as error:
        return _FAILED, parts_of(error)


def _check_node(job: _Job) -> None:
    """Refuse a node that would give other numbers, or that does not see the run.

    Raises:
        EmorankError: it is one.
    """
    for name, own in _versions().items():
        if own != job.versions[name]:
            raise EmorankError(
                f"{_node()} has {name} {own}, and the command was given with "
                f"{job.versions[name]}; install the same versions everywhere"
            )
    with suppress(OSError):
        os.chdir(job.directory)  # paths of images may be relative
    begun = time.monotonic()
    while job.folder.read() != job.run:
        if time.monotonic() - begun > _TO_SEE:
            raise EmorankError(
                f"{_node()} does not see the run in {job.folder.path}; give an --out that all "
                "nodes share under the same path"
            )
        time.sleep(0.2)


def _unseen(job: _Job, shard: int) -> Item | None:
    """The first image of a shard, if this node has no such file."""
    from emorank.scale.object_store import is_address

    first = read_shard(job.folder, shard)[0]
    local = not is_address(first.tar or first.name)
    return first if local and not state(first) else None


_supervisors: dict[str, Supervisor] = {}
"""Of this process: one, as long as it does shards of one run."""


def _supervised(job: _Job, shard: int, board: Any) -> Step:
    import ray

    key = f"{job.loaded[0].hex()} {job.folder.path}"
    if key not in _supervisors:
        for other in _supervisors.values():
            other.stop()
        _supervisors.clear()
        make = partial(_unpacked, ray.get(job.loaded[0]))
        _supervisors[key] = Supervisor(make, job.folder, job.bounds, job.time_limit, keep=True)
    last: Step = (0, 0, 0)
    told = 0.0

    def report(_: int, images: int, excluded: int, kept: int) -> None:
        nonlocal last, told
        last = (images, excluded, kept)
        if time.monotonic() - told > _LOOK:
            told = time.monotonic()
            board.step.remote(shard, last)

    try:
        _supervisors[key].run(ToDo(iter([shard])), report, 1)
    except BaseException:
        _supervisors.pop(key).stop()
        raise
    return last


def _unpacked(data: bytes) -> Loaded:
    from ray import cloudpickle

    loaded: Loaded = cloudpickle.loads(data)
    return loaded


def _node() -> str:
    import ray

    return f"node {socket.gethostname()} ({ray.util.get_node_ip_address()})"


def _versions() -> dict[str, str]:
    """Of what the numbers depend on; a build for another processor counts as the same."""
    own = {name: version(name).partition("+")[0] for name in _COMPARED}
    return {"emorank": __version__} | own


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    """Ray, connected to the cluster; a connection of the program itself is used and kept."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise MissingExtraError("ray", "work on a cluster") from None
    if ray.is_initialized():
        yield ray
        return
    _check_reached(address)
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError, OSError, ray.exceptions.RayError) as error:
        raise _not_reached(address, error) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_reached(address: str) -> None:
    """Refuse at once what Ray would wait for, and then end the program.

    Raises:
        EmorankError: nothing answers there.
    """
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or "/" in host:
        raise EmorankError(f"--ray {address}: expected auto or HOST:PORT, for instance head:6379")
    try:
        with socket.create_connection((host, int(port)), timeout=_TO_CONNECT) as connection:
            if os.environ.get("RAY_USE_TLS", "0") == "0":
                connection.sendall(_HTTP2)
                if connection.recv(9)[3:4] != _SETTINGS:
                    raise OSError("what answers there is no head of Ray")
    except (OSError, OverflowError) as error:
        raise _not_reached(address, error) from error


def _not_reached(address: str, error: Exception) -> EmorankError:
    return EmorankError(
        f"--ray {address}: no cluster of Ray can be used there ({error}); start one "
        "(ray start --head), and give the command on one of its nodes"
    )
