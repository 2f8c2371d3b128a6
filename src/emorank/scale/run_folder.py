"""The folder of a run over many images: what is in it, and of which command it is.

    run.json            the command's key, what was given, how many images and shards
    work/000000.parquet the images of a shard
    left_out.parquet    files that the walk passed over, with the reason
    ranks/000000.parquet        a row for each face of a finished shard
    maps/000000.safetensors     arrays with a place for each of these rows, where any are kept
    finished/000000.parquet     for each image of it: faces, reason if it is excluded, size and time
    unfinished/000000.*         what a shard that is not finished has done so far
    excluded.parquet    all excluded images with their reasons, when every shard is finished

A run is defined when `run.json` is there, and a shard is finished when its part in `finished` is.
"""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from emorank.errors import StudyError
from emorank.files import replacing


@dataclass(frozen=True)
class Run:
    """What defines a run.

    Attributes:
        key: of the network, the ranks and the options.
        given: a digest of what was given to be read; empty where it came one by one.
        images: how many there are.
        shards: into how many the list is cut.
    """

    key: str
    given: str
    images: int
    shards: int


@dataclass(frozen=True)
class RunFolder:
    """Paths in the folder of a run."""

    path: Path

    def work(self, shard: int) -> Path:
        """The images of a shard."""
        return self.path / "work" / f"{shard:06}.parquet"

    def ranks(self, shard: int) -> Path:
        """Its rows."""
        return self.path / "ranks" / f"{shard:06}.parquet"

    def maps(self, shard: int) -> Path:
        """What is kept beside the rows."""
        return self.path / "maps" / f"{shard:06}.safetensors"

    def finished(self, shard: int) -> Path:
        """What came of each of its images."""
        return self.path / "finished" / f"{shard:06}.parquet"

    def unfinished(self, shard: int, ending: str) -> Path:
        """What it has done so far."""
        return self.path / "unfinished" / f"{shard:06}{ending}"

    @property
    def left_out(self) -> Path:
        """Files that the walk passed over."""
        return self.path / "left_out.parquet"

    @property
    def excluded(self) -> Path:
        """All excluded images."""
        return self.path / "excluded.parquet"

    def read(self) -> Run | None:
        """What defines the run; None before its list is whole.

        Raises:
            StudyError: the file is damaged, or was written by something else.
        """
        path = self.path / "run.json"
        try:
            return Run(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise StudyError(
                f"{path}: is no run of emorank ({error}); delete the folder"
            ) from error

    def write(self, run: Run) -> None:
        """Define the run; its list is whole."""
        with replacing(self.path / "run.json") as partial:
            partial.write_text(json.dumps(asdict(run), indent=1), encoding="utf-8")

    @property
    def foreign(self) -> list[str]:
        """Names in the folder that no run makes."""
        own = {"run.json", "list.lock", *_FOLDERS, self.left_out.name, self.excluded.name}
        names = (path.name for path in self.path.iterdir()) if self.path.is_dir() else ()
        return [name for name in names if name not in own and not name.startswith(".")]

    def clear(self) -> None:
        """Remove the list of the run, and what is done of it."""
        for name in _FOLDERS:
            shutil.rmtree(self.path / name, ignore_errors=True)

    def discard(self) -> None:
        """Remove what the run has made, and the folder if nothing else is in it."""
        self.clear()
        for name in ("run.json", "list.lock", self.left_out.name, self.excluded.name):
            (self.path / name).unlink(missing_ok=True)
        if self.path.is_dir() and not any(self.path.iterdir()):
            self.path.rmdir()


_FOLDERS = ("work", "ranks", "maps", "finished", "unfinished")
