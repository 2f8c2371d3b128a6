"""The frames of a film, one after another: of a file, through a process, or of a folder."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from jaxtyping import UInt8

from emorank import images, picture_formats
from emorank.errors import ImageError, MissingExtraError
from emorank.film.films import Film
from emorank.film.wire import SilenceError, hear

_LOG = logging.getLogger(__name__)
PROGRAM = ("-m", "emorank.film.decode_film")
"""What the process runs."""
SECONDS = 60.0
"""How long a film may take to show its next frame."""
_WIDENED = 4  # times the limit on pixels may a frame of pixels that are no squares have


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a film.

    Attributes:
        number: in the film, from 0; frames that were not read or are broken count too.
        time: when it is shown, in seconds from the beginning of the film.
        picture: uint8 (height, width, 3) as people see it; the name of its file, in a folder of
            frames; None where the frame is broken.
        reason: why it is broken.
    """

    number: int
    time: float
    picture: UInt8[np.ndarray, "height width 3"] | Path | None
    reason: str | None = None

    def rgb(self) -> UInt8[np.ndarray, "height width 3"]:
        """The pixels; in a folder of frames they are read now.

        Raises:
            ImageError: the file cannot be read.
        """
        assert self.picture is not None  # noqa: S101 - whoever asks has looked
        return images.read(self.picture) if isinstance(self.picture, Path) else self.picture


@dataclass
class Decoding:
    """The frames of a film while they are read; what is known of it fills on the way.

    Attributes:
        film: to read.
        every: only each so many-th frame is read.
        start: the first frame that is wanted; earlier ones are decoded and not given.
        about: `width`, `height`, `rate` (frames a second), `frames` (how many the film says it
            has), `codec`, `seconds`; as far as they are known.
        end: how many frames there were, when all are read.
        early: why the film ended before its end; None if it did not.
        seconds: how long it may take to show a frame.
    """

    film: Film
    every: int = 1
    start: int = 0
    about: dict[str, Any] = field(default_factory=dict)
    end: int = 0
    early: str | None = None
    seconds: float = SECONDS

    def __iter__(self) -> Iterator[Frame]:
        """Each frame that is read, and each broken one.

        Raises:
            ImageError: the film cannot be read.
            MissingExtraError: what decodes films is not installed.
        """
        return self._pictures() if self.film.frames else self._decoded()

    def _pictures(self) -> Iterator[Frame]:
        paths = self.film.frames
        self.about = {"rate": self.film.fps, "frames": len(paths)}
        first = -(-self.start // self.every) * self.every
        for number in range(first, len(paths), self.every):
            yield Frame(number, number / self.film.fps, paths[number])
        self.end = len(paths)

    def _decoded(self) -> Iterator[Frame]:
        path = self.film.path
        try:
            empty, picture = not path.stat().st_size, _is_picture(path)
        except OSError as error:
            raise ImageError(path, f"cannot be read: {error.strerror or error}") from error
        if empty:
            raise ImageError(path, "is empty (0 bytes); expected a film")
        if picture:
            raise ImageError(path, "is a picture; expected a film, or the folder of its frames")
        if find_spec("av") is None:
            raise MissingExtraError("film", "reading a film")
        process = _start(path, self.every, self.start)
        output = cast(BinaryIO, process.stdout)
        try:
            yield from self._heard(output)
        except SilenceError:
            self._ended(f"no frame came within {self.seconds:g} s")
        except EOFError:
            self._ended(_died(process))
        finally:
            process.kill()
            output.close()
            process.wait()

    def _heard(self, output: BinaryIO) -> Iterator[Frame]:
        while True:
            said, pixels = hear(output, self.seconds, _WIDENED * images.LIMITS.pixels)
            try:
                if "error" in said:
                    raise ImageError(self.film.path, str(said["error"]))
                if "end" in said:
                    self.end, self.early = int(said["end"]), said["early"]
                    return
                if "width" in said:
                    self.about = said
                    continue
                frame = Frame(int(said["frame"]), float(said["time"]), pixels, said.get("reason"))
            except (KeyError, TypeError, ValueError) as error:
                raise EOFError from error
            self.end = frame.number + 1
            yield frame

    def _ended(self, why: str) -> None:
        """The process has ended, or was silent: the film ends here, if it ever began."""
        _LOG.info("%s: %s", self.film.path, why)
        if not self.end:
            raise ImageError(self.film.path, f"cannot be decoded: {why}")
        self.early = why


def whole(frames: Iterable[Frame]) -> Iterator[Frame]:
    """The frames that are not broken, each with its pixels; of a folder, each file is read once."""
    for frame in frames:
        if frame.picture is None:
            continue
        try:
            rgb = frame.rgb()
        except ImageError:
            continue
        yield replace(frame, picture=rgb)


def _is_picture(path: Path) -> bool:
    """Whether a file is a picture that is read, and no animation."""
    with path.open("rb") as file:
        head = file.read(picture_formats.HEAD)
    return picture_formats.readable(head) and not head.startswith(b"GIF")


def environment_of_children() -> dict[str, str]:
    """Lets a process find this package where this one has found it, and compute in one thread."""
    package = str(Path(__file__).parents[2])
    known = [package, os.environ.get("PYTHONPATH", "")]
    path = os.pathsep.join(filter(None, known))
    one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return dict(os.environ) | {"PYTHONPATH": path} | one


def _start(path: Path, every: int, start: int) -> "subprocess.Popen[bytes]":
    """The process that decodes."""
    command = [sys.executable, *PROGRAM]
    return subprocess.Popen(
        [*command, str(path.absolute()), str(every), str(start)],
        env=environment_of_children(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a key that stops the command stops the process by its pipe
        bufsize=0,
    )


def _died(process: "subprocess.Popen[bytes]") -> str:
    try:
        code = process.wait(10)
    except subprocess.TimeoutExpired:
        return "the process that decoded it spoke nonsense"
    if code < 0:
        return f"the process that decoded it was ended by {signal.Signals(-code).name}"
    return f"the process that decoded it ended with status {code}"
