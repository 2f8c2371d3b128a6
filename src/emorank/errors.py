"""The exceptions of emorank; every message says what was expected, what came, and what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emorank.printable import printable


class EmorankError(Exception):
    """Base of all errors that emorank raises on purpose."""


class ImageError(EmorankError):
    """One image cannot be used; `file` and `reason` become a row of the exclusion list."""

    def __init__(self, file: Path | str, reason: str) -> None:
        super().__init__(printable(f"{file}: {reason}"))
        self.file = str(file)
        self.reason = reason


class DatasetError(EmorankError):
    """A folder or table does not hold the expected data set."""


class WeightsError(EmorankError):
    """Weights are missing, truncated, altered or of another network."""


class PlanError(EmorankError):
    """A plan (`study.toml`, options) has an unknown key, a wrong type or an impossible value."""


class VotesError(EmorankError):
    """A votes file has unknown ranks, unknown images or duplicate votes."""


class VotesWarning(UserWarning):
    """Something in votes that may be a slip, and was read as it stands."""


class RelevanceError(EmorankError):
    """Relevance cannot be propagated: a layer has no rule, or a preset does not fit the network."""


class StudyError(EmorankError):
    """A stage cannot run: a file of an earlier stage, for example, is missing or was changed."""


class RatingError(EmorankError):
    """A rating project is missing or closed, or refuses a request."""


class StorageError(RatingError):
    """The database of a rating project cannot be reached or written to at present."""


class OfflineError(EmorankError):
    """The network is needed, and emorank is told to open no connection (`EMORANK_OFFLINE`)."""


class AccessError(EmorankError):
    """The keys of the service cannot be read or changed, or there is none where one is needed."""


class MissingExtraError(EmorankError):
    """An optional part of emorank is not installed."""

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs the extra '{extra}': pip install 'emorank[{extra}]'")


@contextmanager
def of_one_image(file: Path | str) -> Iterator[None]:
    """A context for work on one image: whatever goes wrong there is that image's `ImageError`.

    So the others go on, also when memory runs out or a library fails as nobody expected.
    """
    try:
        yield
    except EmorankError:
        raise
    except MemoryError as error:
        raise ImageError(file, "needs more memory than there is") from error
    except Exception as error:
        reason = f"cannot be used ({type(error).__name__}: {error})"
        raise ImageError(file, reason) from error


@contextmanager
def needing(extra: str, purpose: str) -> Iterator[None]:
    """A context for imports that need an extra; raises `MissingExtraError` if it is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "emorank":
            raise
        raise MissingExtraError(extra, purpose) from error
