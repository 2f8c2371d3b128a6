"""One shard of a run: its images are read, ranked and written as one part. Safe to be killed.

`rank_shard` is a plain function of files: a worker of one machine, a task of a cluster or the
program itself call it. Given again it does what is missing, and nothing if nothing is.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from emorank.errors import ImageError, StudyError, of_one_image
from emorank.framing import View
from emorank.given_pictures import Given
from emorank.reading.journal import Journal
from emorank.scale import part
from emorank.scale.attempts import Attempts
from emorank.scale.given_images import Item, picture_of, state
from emorank.scale.run_folder import RunFolder
from emorank.scale.work_list import read_shard

if TYPE_CHECKING:
    from emorank.reading.reader import RankedFace, Reader
    from emorank.study.folder import Study

NO_FACE = "no face was found"
_PATIENCE = 10.0  # seconds: a process whose parent was killed ends within moments


@dataclass(frozen=True)
class Task:
    """What is asked of every image. It can be sent to other processes.

    Attributes:
        study: whose network answers; None for the shipped one.
        ranks: names of ranks; none for the default one.
        emotion: the one to rank in every face.
        crop: "face" or "none"; None for the framing of the training.
        nearest: only the nearest face of an image.
        strict: raise at the first image that cannot be used.
        compounds: say which two emotions a face expresses together.
        device: where to compute, as `networks.devices.device_of` reads it; None for where the
            plan of the study says, or the CPU.
        crops: of each face, whose logits are averaged: 1 or 3.
        picture: makes of an item what `given_pictures` reads.
    """

    study: "Study | None" = None
    ranks: tuple[str, ...] = ()
    emotion: str | None = None
    crop: str | None = None
    nearest: bool = False
    strict: bool = False
    compounds: bool = False
    device: str | None = None
    crops: int = 1
    picture: Callable[[Item], Given] = picture_of


class ShardTaken(StudyError):
    """Another process works on a shard."""


class Report(Protocol):
    """Is told of every step, so that somebody can see that work goes on."""

    def __call__(self, images: int, excluded: int, kept: int) -> None:
        """So many images of the shard are done, `kept` of them by an earlier process."""


def silent(images: int, excluded: int, kept: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Ranker:
    """A task with its network loaded, ready for any number of shards."""

    task: Task
    reader: "Reader"

    def rank(self, views: Sequence[View]) -> "list[RankedFace]":
        """The records of at most a batch of faces.

        Fewer faces are filled up to a batch: a network's sums are rounded in another order in a
        batch of another size, and a run that was stopped shall give the same table.
        """
        filled = [*views, *[views[-1]] * (self.reader.batch - len(views))]
        faces = list(self.reader.rank(filled))[: len(views)]
        if self.task.compounds and self.task.study is not None:
            from emorank.study.verbs.add_compounds import add_compounds

            return list(add_compounds(self.task.study, faces))
        return faces

    def warm_up(self) -> None:
        """Load what is loaded at the first picture, so that no image has to answer for it."""
        import numpy as np

        from emorank import faces

        blank = np.full((64, 64, 3), 128, np.uint8)
        faces.find(blank)
        side = self.reader.network.size
        self.reader.measure([np.zeros((side, side, 3), np.uint8)]).table  # noqa: B018 - computed


def load(task: Task) -> Ranker:
    """The network of a task and its ranks.

    Raises:
        EmorankError: as `study.readers.reader_of`.
    """
    from emorank.study.readers import check_levels, reader_of

    check_levels(task.ranks)
    return Ranker(
        task,
        reader_of(task.study, task.ranks, task.emotion, device=task.device, crops=task.crops),
    )


def missing(folder: RunFolder, shard: int) -> bool:
    """Whether a shard is not finished, or images of it have changed since."""
    ends = part.read_ends(folder.finished(shard))
    if ends is None:
        return True
    listed = read_shard(folder, shard)
    return any(end.state != state(item) for end, item in zip(ends, listed, strict=True))


def rank_shard(ranker: Ranker, folder: RunFolder, shard: int, report: Report = silent) -> None:
    """Do what is missing of a shard, and write its part.

    Raises:
        ImageError: an image cannot be used, if the task is strict.
        ShardTaken: another process works on this shard.
        OSError: the part cannot be written.
    """
    if not missing(folder, shard):
        return
    with _alone(folder, shard):
        listed = read_shard(folder, shard)
        journal = Journal(folder.unfinished(shard, ".jsonl"), "shard")
        attempts = Attempts(folder.unfinished(shard, ".json"))
        attempts.fold()
        try:
            with journal.appending() as append:
                _keep_unchanged(folder, shard, listed, append)
            kept = _places(journal, listed)
            lacking = [number for number in range(len(listed)) if number not in kept]
            with journal.appending() as append:
                _Reading(ranker, listed, attempts, append, report, len(kept)).read(lacking)
            attempts.idle()
            # An image may have changed again meanwhile; then what was read of it stands.
            places = _places(journal, listed, changed=True)
            records = journal.at(places[number] for number in range(len(listed)))
            part.write(folder, shard, listed, records)
        finally:
            attempts.close()
        for path in (journal.path, attempts.path):
            path.unlink(missing_ok=True)


def _keep_unchanged(
    folder: RunFolder, shard: int, listed: list[Item], append: Callable[[dict[str, Any]], None]
) -> None:
    """Take back what a finished part says of images that are as they were."""
    ends = part.read_ends(folder.finished(shard))
    if ends is None:
        return
    rows = part.read_rows(folder.ranks(shard))
    for number, (end, item) in enumerate(zip(ends, listed, strict=True)):
        own = [next(rows) for _ in range(end.faces)]
        if end.state == state(item):
            append({"image": number, "state": end.state, "reason": end.reason, "rows": own})
    folder.finished(shard).unlink()


def _places(journal: Journal, listed: list[Item], *, changed: bool = False) -> dict[int, int]:
    """Where in the journal the last record of each image is, if it has not `changed` since."""
    return {
        record["image"]: place
        for place, record in journal.records()
        if changed or record["state"] == state(listed[record["image"]])
    }


@contextmanager
def _alone(folder: RunFolder, shard: int) -> Iterator[None]:
    from filelock import FileLock, Timeout

    path = folder.unfinished(shard, ".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path, timeout=_PATIENCE):
            yield
    except Timeout:
        raise ShardTaken(
            f"{folder.path}: another process works on shard {shard}; wait for it, and give the "
            "command again"
        ) from None


@dataclass
class _Begun:
    """An image whose faces are not all ranked."""

    place: int
    state: list[int]
    reason: str | None
    faces: int
    rows: list[dict[str, Any]] = field(default_factory=list)


class _Reading:
    """Reads images one after another, and fills batches with the faces of several."""

    def __init__(
        self,
        ranker: Ranker,
        listed: list[Item],
        attempts: Attempts,
        append: Callable[[dict[str, Any]], None],
        report: Report,
        kept: int,
    ) -> None:
        self.ranker, self.listed, self.attempts = ranker, listed, attempts
        self.append, self.report, self.kept = append, report, kept
        self.done, self.excluded = kept, 0
        self.waiting: deque[tuple[_Begun, View]] = deque()
        self.begun: deque[_Begun] = deque()

    def read(self, places: list[int]) -> None:
        """Read the images at some places, and write a record of each."""
        batch = self.ranker.reader.batch
        for place in places:
            self._say()
            before = state(self.listed[place])
            reason = self.attempts.poison.get(place)
            views: list[View] = []
            if reason is None:
                self.attempts.reading(place)
                views, reason = self._views(place)
            elif self.ranker.task.strict:
                raise ImageError(self.listed[place].name, reason)
            begun = _Begun(place, before, reason, len(views))
            self.begun.append(begun)
            self.waiting += ((begun, view) for view in views)
            while len(self.waiting) >= (1 if place <= self.attempts.alone_until else batch):
                self._rank(batch)
            self._end()
        while self.waiting:
            self._rank(batch)
        self._end()

    def _views(self, place: int) -> tuple[list[View], str | None]:
        """The faces of an image, and why it is excluded if it is."""
        task, item = self.ranker.task, self.listed[place]
        try:
            with of_one_image(item.name):
                picture = task.picture(item)
        except ImageError as error:
            if task.strict:
                raise
            return [], error.reason
        views = self.ranker.reader.views(
            picture, crop=task.crop, nearest=task.nearest, strict=task.strict, names=[item.name]
        )
        return list(views), views.excluded[0].reason if views.excluded else None

    def _rank(self, most: int) -> None:
        some = [self.waiting.popleft() for _ in range(min(most, len(self.waiting)))]
        self._say()
        self.attempts.looking([begun.place for begun, _ in some])
        faces = self.ranker.rank([view for _, view in some])
        for (begun, _), face in zip(some, faces, strict=True):
            begun.rows.append(face.row)

    def _end(self) -> None:
        """Write the images whose faces are all ranked, in their order."""
        while self.begun and len(self.begun[0].rows) == self.begun[0].faces:
            done = self.begun.popleft()
            self.append(
                {"image": done.place, "state": done.state, "reason": done.reason, "rows": done.rows}
            )
            self.done += 1
            self.excluded += done.reason is not None
            self._say()

    def _say(self) -> None:
        self.report(self.done, self.excluded, self.kept)
