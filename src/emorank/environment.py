"""What emorank itself is told by the environment; docs/command_line.md lists every variable."""

import os
from pathlib import Path

from platformdirs import user_cache_path, user_data_path

from emorank.errors import EmorankError, OfflineError

CACHE, DATA, OFFLINE = "EMORANK_CACHE", "EMORANK_DATA", "EMORANK_OFFLINE"
_YES, _NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


def cache_folder() -> Path:
    """Where all is kept that was fetched or can be computed again.

    `$EMORANK_CACHE`, or the system's cache folder.

    Raises:
        EmorankError: it is a file.
    """
    return _folder(CACHE, user_cache_path("emorank"))


def data_folder() -> Path:
    """Where the keys of the service are kept: `$EMORANK_DATA`, or the system's folder for data.

    Raises:
        EmorankError: it is a file.
    """
    return _folder(DATA, user_data_path("emorank"))


def is_offline() -> bool:
    """Whether no connection may be opened: `$EMORANK_OFFLINE` is 1.

    Raises:
        EmorankError: it is set to something that is neither yes nor no.
    """
    said = os.environ.get(OFFLINE, "").strip().lower()
    if said not in (*_YES, *_NO):
        raise EmorankError(f"{OFFLINE}={said}: expected 1 (open no connection) or 0")
    return said in _YES


def check_online(purpose: str, instead: str) -> None:
    """Refuse what needs a network where none may be used.

    Args:
        purpose: what the network is needed for, and at which address.
        instead: what to do without it.

    Raises:
        OfflineError: emorank is told to open no connection.
    """
    if is_offline():
        raise OfflineError(
            f"{purpose} needs the network, and emorank is told to open no connection (--offline, "
            f"or {OFFLINE}=1); {instead}"
        )


def _folder(name: str, usual: Path) -> Path:
    chosen = os.environ.get(name)
    if not chosen:
        return usual
    folder = Path(chosen).expanduser()
    if folder.is_file():
        raise EmorankError(f"{name}={chosen}: is a file; expected a folder, which may be new")
    return folder
