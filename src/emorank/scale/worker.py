"""A process that does shards as it is told, and reports each step; a crash there ends no run."""

import logging
import os
import signal
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from emorank.child_process import bound_memory, die_with_parent
from emorank.errors import EmorankError, ImageError
from emorank.scale.shard import PATIENCE, ShardTaken, do_shard

if TYPE_CHECKING:
    from emorank.scale.run_folder import RunFolder
    from emorank.scale.task import Loaded

READY, STEP, DONE, FAILED, SAYS = "ready", "step", "done", "failed", "says"
"""What a worker says: the network is loaded; a step, with what is done; a shard; an error; a line
of the log."""


@dataclass(frozen=True)
class Bounds:
    """What a worker may take.

    Attributes:
        threads: of computing.
        memory: bytes beyond what it has when its network is loaded; nothing on a system that
            cannot hold to it, and where a GPU's driver reserves addresses without end.
        patience: seconds that it waits for another process at the same shard.
    """

    threads: int
    memory: int
    patience: float = PATIENCE


class _ToParent(logging.Handler):
    """Hands the log to the parent, which writes it as its own."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.connection = connection

    def emit(self, record: logging.LogRecord) -> None:
        """Send a line."""
        with suppress(OSError):  # the parent is gone, which the next step notices
            self.connection.send((SAYS, (record.name, record.levelno, self.format(record))))


def work(
    connection: Connection,
    make: "Callable[[], Loaded]",
    folder: "RunFolder",
    bounds: Bounds,
    level: int,
) -> None:
    """Load a network and do shards until there are no more, or whoever gives them is gone.

    Lines of the log from `level` on go to whoever gives them, too.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops its workers itself
    die_with_parent()
    os.environ["OMP_NUM_THREADS"] = str(bounds.threads)
    logging.getLogger("emorank").addHandler(_ToParent(connection))
    logging.getLogger("emorank").setLevel(level)
    try:
        _work(connection, make, folder, bounds)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except MemoryError:
        os._exit(1)  # the image or batch at which that was is marked
    except Exception as error:
        connection.send((FAILED, parts_of(error)))


def _work(
    connection: Connection, make: "Callable[[], Loaded]", folder: "RunFolder", bounds: Bounds
) -> None:
    import torch

    torch.set_num_threads(bounds.threads)
    loaded = make()
    loaded.warm_up()
    bound_memory(bounds.memory)
    connection.send((READY, ()))

    def report(images: int, excluded: int, kept: int) -> None:
        connection.send((STEP, (images, excluded, kept)))

    while (shard := connection.recv()) is not None:
        do_shard(loaded, folder, shard, report, patience=bounds.patience)
        connection.send((DONE, ()))


def error_of(parts: tuple[Any, ...]) -> Exception:
    """The error that a worker told of."""
    kind, *arguments = parts
    makers: dict[str, type[Exception]] = {
        "image": ImageError,
        "system": OSError,
        "taken": ShardTaken,
    }
    return makers.get(kind, EmorankError)(*arguments)


def parts_of(error: Exception) -> tuple[Any, ...]:
    """An error as words and numbers, which any process can read."""
    if isinstance(error, ImageError):
        return ("image", error.file, error.reason)
    if isinstance(error, OSError):
        return ("system", error.errno, error.strerror or str(error), error.filename)
    if isinstance(error, ShardTaken):
        return ("taken", str(error))
    if isinstance(error, EmorankError):
        return ("emorank", str(error))
    trace = "".join(traceback.format_exception(error))
    return ("emorank", f"a worker failed as nobody expected:\n{trace}")
