"""At which images a process has died: so nobody reads a picture again and again that kills.

Before a process reads an image, it marks it. What kills a process cannot take the mark away, so
the next one that works on the shard, wherever it runs, sees at which image the last one died. An
image at which processes died too often is excluded. If one died while the network looked at a batch
of images, they are looked at one by one; so are images that were fetched from a store meanwhile.
"""

import json
import os
from pathlib import Path

from emorank.files import replacing

ENOUGH = 3
"""Deaths at an image before it is excluded, where something else may have been the cause."""
_UNKNOWN = "the process that read it ended {} times"
_LENGTH = 40


class Attempts:
    """What is known of the deaths of a shard.

    Attributes:
        poison: the reason for each image, by its place in the shard, that is not read any more.
        alone_until: images up to this place are looked at one by one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mark = path.with_suffix(".mark")
        self.strikes: dict[int, int] = {}
        self.poison: dict[int, str] = {}
        self.alone_until = -1
        if path.is_file():
            known = json.loads(path.read_text(encoding="utf-8"))
            self.strikes = {int(place): count for place, count in known["strikes"].items()}
            self.poison = {int(place): reason for place, reason in known["poison"].items()}
            self.alone_until = known["alone_until"]
        self._file: int | None = None

    def reading(self, place: int, ahead: int = -1) -> None:
        """Mark an image that is read next; images up to `ahead` are fetched meanwhile."""
        self.looking([place], ahead)

    def looking(self, places: list[int], ahead: int = -1) -> None:
        """Mark a batch that the network looks at next."""
        last = max(*places, ahead)
        one = set(places) == {last}
        self._write(f"image {last}" if one else f"batch {last}")

    def idle(self) -> None:
        """Mark that no image is in hand."""
        self._write("")

    def close(self) -> None:
        """Take the mark away: the process ends as it should."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self.mark.unlink(missing_ok=True)

    def fold(self, cause: str = "", *, certain: bool = False) -> bool:
        """Make of a mark that a dead process left what is known; whether there was one.

        Args:
            cause: of its death, as the reason of an exclusion; empty if nobody saw it die.
            certain: the process did it itself, and was not killed by something else.
        """
        kind, _, number = self._left().partition(" ")
        self.close()
        if not number.isdigit():
            return False
        place = int(number)
        if kind == "batch":
            self.alone_until = max(self.alone_until, place)
        else:
            self.strikes[place] = self.strikes.get(place, 0) + (ENOUGH if certain else 1)
            if self.strikes[place] >= ENOUGH:
                self.poison[place] = cause or _UNKNOWN.format(ENOUGH)
        known = {
            "strikes": self.strikes, "poison": self.poison, "alone_until": self.alone_until
        }  # fmt: skip
        with replacing(self.path) as partial:
            partial.write_text(json.dumps(known), encoding="utf-8")
        return True

    def _left(self) -> str:
        return self.mark.read_text(encoding="ascii").strip() if self.mark.is_file() else ""

    def _write(self, text: str) -> None:
        if self._file is None:
            self.mark.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.mark, os.O_RDWR | os.O_CREAT, 0o666)
        os.pwrite(self._file, text.ljust(_LENGTH).encode("ascii"), 0)
