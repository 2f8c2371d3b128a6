"""Pictures in an object store or another file system that pyarrow reaches.

Its keys and its address are taken from where its own tools take them: the environment
(AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, GOOGLE_APPLICATION_CREDENTIALS, …) or its configuration files.
"""

import os
from collections.abc import Iterator
from functools import cache
from typing import Any

from emorank import picture_formats
from emorank.environment import check_online
from emorank.errors import DatasetError, ImageError

SCHEMES = ("s3", "gs", "gcs", "abfs", "abfss", "hdfs")


def is_address(name: str) -> bool:
    """Whether a name is an address such as "s3://bucket/face.jpg" and not a path.

    Raises:
        DatasetError: it is an address of a kind that is not reached.
    """
    scheme, colon, _ = name.partition("://")
    if not colon or not scheme.isalnum():
        return False
    if scheme not in SCHEMES:
        raise DatasetError(
            f"{name}: '{scheme}' is reached by no file system here; expected one of "
            f"{', '.join(SCHEMES)}, or a path"
        )
    return True


def below(address: str) -> Iterator[str]:
    """The pictures and tar files below an address, folder by folder, sorted; or itself.

    The names in one folder are in memory together.

    Raises:
        ImageError: there is nothing.
        DatasetError: it cannot be reached.
        OfflineError: emorank is told to open no connection.
    """
    from pyarrow.fs import FileSelector, FileType

    scheme = address.partition("://")[0]
    filesystem, path = _place(address)
    try:
        (about,) = filesystem.get_file_info([path])
        if about.type == FileType.File:
            yield address
            return
        if about.type == FileType.NotFound:
            raise ImageError(address, "there is no such file or folder")
        folders = [path]
        while folders:
            entries = filesystem.get_file_info(FileSelector(folders.pop()))
            for entry in sorted(entries, key=lambda entry: entry.path):
                picture = picture_formats.named_as_picture(entry.base_name)
                if entry.type == FileType.File and (picture or entry.path.endswith(".tar")):
                    yield f"{scheme}://{entry.path}"
            inside = (entry.path for entry in entries if entry.type == FileType.Directory)
            folders += sorted(inside, reverse=True)
    except OSError as error:
        raise DatasetError(f"{address}: cannot be read ({error})") from error


def opened(address: str) -> Any:
    """The file at an address, open to be read from any place.

    Raises:
        OSError: it cannot be opened.
        OfflineError: emorank is told to open no connection.
    """
    filesystem, path = _place(address)
    return filesystem.open_input_file(path)


def _place(address: str) -> tuple[Any, str]:
    check_online(address, "copy the pictures to this machine and name their folder")
    scheme, _, rest = address.partition("://")
    host, _, path = rest.partition("/")
    filesystem, base = _filesystem(scheme, host)
    return filesystem, f"{base.rstrip('/')}/{path}".rstrip("/")


@cache
def _filesystem(scheme: str, host: str) -> tuple[Any, str]:
    from pyarrow import ArrowException
    from pyarrow.fs import FileSystem, S3FileSystem

    own = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    try:
        if scheme == "s3" and own:  # pyarrow does not look for it
            return S3FileSystem(endpoint_override=own), host
        filesystem, base = FileSystem.from_uri(f"{scheme}://{host}")
    except (ArrowException, OSError, NotImplementedError) as error:
        raise DatasetError(f"{scheme}://{host}: cannot be reached ({error})") from error
    return filesystem, base
