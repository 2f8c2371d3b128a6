"""Pictures in a tar file, such as the shards of webdataset; nothing is unpacked.

Only the headers are read here. A picture is read later from its place in the file. Links, devices
and sparse files are refused by name, and no header may be larger than a mebibyte.
"""

import tarfile
from collections.abc import Callable, Iterator
from typing import Any

from emorank.errors import DatasetError, ImageError
from emorank.images import LIMITS
from emorank.picture_formats import named_as_picture

TAR = ".tar"
_HEADER = 1 << 20  # bytes of the largest header


def members(
    file: Any, name: str, left_out: Callable[[ImageError], None]
) -> Iterator[tarfile.TarInfo]:
    """The members of an open tar file whose names are those of pictures, in their order.

    Each has `name`, `offset_data` and `size`. Other files, such as the labels of webdataset, are
    passed over in silence; `left_out` is told of pictures that cannot be read.

    Raises:
        DatasetError: it is no tar file, or it is damaged.
    """
    try:
        with tarfile.open(fileobj=_Bounded(file), mode="r:") as tar:  # type: ignore[call-overload]
            while (member := tar.next()) is not None:
                tar.members.clear()  # memory stays as it is
                if member.isdir() or not named_as_picture(member.name):
                    continue
                if reason := _refused(member):
                    left_out(ImageError(f"{name}/{member.name}", reason))
                else:
                    yield member
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise DatasetError(f"{name}: is no tar file that can be read ({error})") from error


def _refused(member: tarfile.TarInfo) -> str:
    if member.issym() or member.islnk():
        return f"is a link to {member.linkname}; links in tar files are not followed"
    if not member.isreg() or member.issparse():
        return "is no plain file"
    if not 0 <= member.size <= LIMITS.bytes:
        return f"is larger than the {LIMITS.bytes:,} bytes allowed"
    return ""


class _Bounded:
    """A file of which nobody reads much at once: a header may claim any size."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        """Read a header.

        Raises:
            ReadError: it is too large.
        """
        if not 0 <= size <= _HEADER:
            raise tarfile.ReadError(f"a header of {size:,} bytes")
        data: bytes = self.file.read(size)
        return data
