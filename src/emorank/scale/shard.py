"""One shard of a run: its images are read, looked at and written as one part. Safe to be killed.

`do_shard` is a plain function of files: a worker of one machine, a task of a cluster or the program
itself call it. Given again it does what is missing, and nothing if nothing is.
"""

from bisect import bisect
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from emorank.ahead import in_order
from emorank.errors import ImageError, StudyError, of_one_image
from emorank.framing import View
from emorank.given_pictures import Given
from emorank.reading.journal import Journal
from emorank.scale import maps, part
from emorank.scale.attempts import Attempts
from emorank.scale.given_images import Item, is_fetched, state
from emorank.scale.run_folder import RunFolder
from emorank.scale.task import Loaded
from emorank.scale.work_list import read_shard

NO_FACE = "no face was found"
FETCHED = 4
"""Files of a store or a tar that are fetched ahead of the one that is read, by a process."""
PATIENCE = 10.0  # seconds: a process whose parent was killed ends within moments


class ShardTaken(StudyError):
    """Another process works on a shard."""


class Report(Protocol):
    """Is told of every step, so that somebody can see that work goes on."""

    def __call__(self, images: int, excluded: int, kept: int) -> None:
        """So many images of the shard are done, `kept` of them by an earlier process."""


def silent(images: int, excluded: int, kept: int) -> None:
    """Tell nobody."""


def missing(folder: RunFolder, shard: int) -> bool:
    """Whether a shard is not finished, or images of it have changed since."""
    ends = part.read_ends(folder.finished(shard))
    if ends is None or _lost_maps(folder, shard):
        return True
    listed = read_shard(folder, shard)
    return any(end.state != state(item) for end, item in zip(ends, listed, strict=True))


def _lost_maps(folder: RunFolder, shard: int) -> bool:
    """Whether rows of a run that keeps maps have none."""
    maps = folder.maps(shard)
    return folder.ranks(shard).exists() and maps.parent.is_dir() and not maps.exists()


def do_shard(
    loaded: Loaded,
    folder: RunFolder,
    shard: int,
    report: Report = silent,
    *,
    patience: float = PATIENCE,
) -> None:
    """Do what is missing of a shard, and write its part.

    Another process that works on it is waited for, `patience` seconds.

    Raises:
        ImageError: an image cannot be used, if the task is strict.
        ShardTaken: another process works on this shard.
        OSError: the part cannot be written.
    """
    if not missing(folder, shard):
        return
    with _alone(folder, shard, patience):
        listed = read_shard(folder, shard)
        kept = Kept(folder, shard)
        attempts = Attempts(folder.unfinished(shard, ".json"))
        attempts.fold()
        try:
            with kept.appending():
                _keep_unchanged(folder, shard, listed, kept)
            places = kept.places(listed)
            lacking = [number for number in range(len(listed)) if number not in places]
            with kept.appending():
                _Reading(loaded, listed, attempts, kept, report, len(places)).read(lacking)
            attempts.idle()
            # An image may have changed again meanwhile; then what was read of it stands.
            places = kept.places(listed, changed=True)
            records = kept.journal.at(places[number] for number in range(len(listed)))
            part.write(folder, shard, listed, records, kept.maps)
        finally:
            attempts.close()
        for path in (kept.journal.path, kept.maps.path, attempts.path):
            path.unlink(missing_ok=True)


def _keep_unchanged(folder: RunFolder, shard: int, listed: list[Item], kept: "Kept") -> None:
    """Take back what a finished part says of images that are as they were."""
    ends = part.read_ends(folder.finished(shard))
    if ends is None:
        return
    if not _lost_maps(folder, shard):
        rows, arrays = part.read_rows(folder.ranks(shard)), maps.read(folder.maps(shard))
        place = 0
        for number, (end, item) in enumerate(zip(ends, listed, strict=True)):
            own = [next(rows) for _ in range(end.faces)]
            if end.state == state(item):
                beside = [arrays.row(place + k) for k in range(end.faces)] if arrays else []
                kept.add(number, end.state, end.reason, own, [kept.maps.add(a) for a in beside])
            place += end.faces
    folder.finished(shard).unlink()


class Kept:
    """What is done of a shard that is not finished: records of images, and arrays beside them."""

    def __init__(self, folder: RunFolder, shard: int) -> None:
        self.journal = Journal(folder.unfinished(shard, ".jsonl"), "shard")
        self.maps = maps.Appended(folder.unfinished(shard, ".maps"))
        self._append: Callable[[dict[str, Any]], None]

    @contextmanager
    def appending(self) -> Iterator[None]:
        """Within a `with` statement, images are added."""
        with self.journal.appending() as self._append:
            try:
                yield
            finally:
                self.maps.close()

    def add(
        self,
        image: int,
        state: list[int],
        reason: str | None,
        rows: list[dict[str, Any]],
        maps: list[dict[str, Any]],
    ) -> None:
        """Keep what came of an image; `maps` are where `self.maps` has put the arrays of a row."""
        record = {"image": image, "state": state, "reason": reason, "rows": rows}
        self._append(record | ({"maps": maps} if maps else {}))

    def places(self, listed: list[Item], *, changed: bool = False) -> dict[int, int]:
        """Where in the journal the last record of each image is, if it has not `changed` since."""
        return {
            record["image"]: place
            for place, record in self.journal.records()
            if changed or self._holds(record, listed[record["image"]])
        }

    def _holds(self, record: dict[str, Any], item: Item) -> bool:
        whole = all(map(self.maps.whole, record.get("maps", ())))
        return whole and record["state"] == state(item)


@contextmanager
def _alone(folder: RunFolder, shard: int, patience: float) -> Iterator[None]:
    from filelock import FileLock, Timeout

    path = folder.unfinished(shard, ".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path, timeout=patience):
            yield
    except Timeout:
        raise ShardTaken(
            f"{folder.path}: another process works on shard {shard}; wait for it, and give the "
            "command again"
        ) from None


@dataclass
class _Begun:
    """An image whose faces are not all answered."""

    place: int
    state: list[int]
    reason: str | None
    faces: int
    answered: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    maps: list[dict[str, Any]] = field(default_factory=list)


class _Reading:
    """Reads images one after another, and fills batches with the faces of several."""

    def __init__(
        self,
        loaded: Loaded,
        listed: list[Item],
        attempts: Attempts,
        kept: Kept,
        report: Report,
        before: int,
    ) -> None:
        self.loaded, self.listed, self.attempts = loaded, listed, attempts
        self.kept, self.report, self.before = kept, report, before
        self.done, self.excluded, self.ahead = before, 0, -1
        self.waiting: deque[tuple[_Begun, View]] = deque()
        self.begun: deque[_Begun] = deque()

    def read(self, places: list[int]) -> None:
        """Read the images at some places, and write a record of each."""
        batch = self.loaded.batch
        if places:
            self.attempts.reading(places[0], self._last_ahead(places, places[0]))
        for place, before, picture in in_order(self._opened, places, self._is_far, FETCHED):
            self._say()
            self.ahead = self._last_ahead(places, place)
            if picture is not None:
                self.attempts.reading(place, self.ahead)
            views, reason = self._views(place, picture)
            begun = _Begun(place, before, reason, len(views))
            self.begun.append(begun)
            self.waiting += ((begun, view) for view in views)
            while len(self.waiting) >= (1 if place <= self.attempts.alone_until else batch):
                self._look(batch)
            self._end()
        while self.waiting:
            self._look(batch)
        self._end()

    def _is_far(self, place: int) -> bool:
        """Whether an image is fetched while others are read: from a store, and not suspected."""
        item = self.listed[place]
        return place > self.attempts.alone_until and is_fetched(item)

    def _last_ahead(self, places: list[int], place: int) -> int:
        """The last image that may be fetched while one is in hand; -1 if none is."""
        after = bisect(places, place)
        if not any(map(self._is_far, places[after - 1 : after + 1])):
            return -1
        return places[min(after + FETCHED, len(places) - 1)]

    def _opened(self, place: int) -> tuple[int, list[int], Given | ImageError | None]:
        """An image and its state, or why it cannot be opened; nothing of it if it has killed."""
        item = self.listed[place]
        before = state(item)
        if place in self.attempts.poison:
            return place, before, None
        if not self._is_far(place):
            self._say()
            self.attempts.reading(place)
        try:
            with of_one_image(item.name):
                return place, before, self.loaded.task.picture(item)
        except ImageError as error:
            return place, before, error

    def _views(
        self, place: int, picture: Given | ImageError | None
    ) -> tuple[list[View], str | None]:
        """The faces of an image, and why it is excluded if it is."""
        name = self.listed[place].name
        if picture is None:
            picture = ImageError(name, self.attempts.poison[place])
        if isinstance(picture, ImageError):
            if self.loaded.task.strict:
                raise picture
            return [], picture.reason
        views = self.loaded.views(picture, name)
        return list(views), views.excluded[0].reason if views.excluded else None

    def _look(self, most: int) -> None:
        some = [self.waiting.popleft() for _ in range(min(most, len(self.waiting)))]
        self._say()
        self.attempts.looking([begun.place for begun, _ in some], self.ahead)
        answers = self.loaded.answers([view for _, view in some])
        for (begun, _), answer in zip(some, answers, strict=True):
            begun.answered += 1
            for row in answer.rows:
                begun.rows.append(row.cells)
                if row.arrays:
                    begun.maps.append(self.kept.maps.add(row.arrays))
            begun.reason = begun.reason or answer.reason
            if answer.reason and self.loaded.task.strict:
                raise ImageError(self.listed[begun.place].name, answer.reason)

    def _end(self) -> None:
        """Write the images whose faces are all answered, in their order."""
        while self.begun and self.begun[0].answered == self.begun[0].faces:
            done = self.begun.popleft()
            self.kept.add(done.place, done.state, done.reason, done.rows, done.maps)
            self.done += 1
            self.excluded += done.reason is not None
            self._say()

    def _say(self) -> None:
        self.report(self.done, self.excluded, self.before)
