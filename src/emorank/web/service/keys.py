"""API keys: shown once, and kept as SHA-256 in a file that is its owner's alone.

SHA-256 suffices because a key is 256 random bits, which cannot be guessed.
"""

import hmac
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from emorank.environment import data_folder
from emorank.errors import AccessError
from emorank.files import private, replacing
from emorank.printable import printable
from emorank.room.secret import hashed, new_secret

PREFIX = "emorank_"
_LONGEST = 64  # characters of a name


def keys_file() -> Path:
    """Where the keys are kept."""
    return data_folder() / "keys.json"


@dataclass(frozen=True)
class Key:
    """What is kept of a key.

    Attributes:
        sha256: of the key, in hex.
        made: when, in UTC, as ISO 8601 writes it.
    """

    name: str
    sha256: str
    made: str


class Keys:
    """The keys in a file; a change of the file counts from the next question on.

    Every method raises an AccessError if the file cannot be read or is damaged.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or keys_file()
        self._seen: tuple[int, int, int] | None = None
        self._keys: tuple[Key, ...] = ()

    def all(self) -> tuple[Key, ...]:
        """The keys, the oldest first."""
        try:
            status = self.path.stat()
            seen = (status.st_ino, status.st_mtime_ns, status.st_size)
            if seen != self._seen:
                content = json.loads(self.path.read_text(encoding="utf-8"))
                self._keys = tuple(Key(**row) for row in content["keys"])
                self._seen = seen
        except FileNotFoundError:
            self._keys, self._seen = (), None
        except OSError as error:
            raise AccessError(f"{self.path}: cannot be read ({error.strerror})") from error
        except (ValueError, KeyError, TypeError) as error:
            raise AccessError(
                f"{self.path}: damaged ({error}); delete it and make new keys: "
                "emorank serve key new"
            ) from error
        return self._keys

    def new(self, name: str | None = None) -> tuple[str, str]:
        """Make a key; its name, and the key itself, which nobody can read again.

        Raises:
            AccessError: the name is taken, empty, too long, or not printable.
            OSError: the file cannot be written.
        """
        with self._changing():
            names = {key.name for key in self.all()}
            name = _free(names) if name is None else _checked(name, names)
            secret = PREFIX + new_secret()
            made = datetime.now(UTC).isoformat(timespec="seconds")
            self._write((*self.all(), Key(name, hashed(secret), made)))
        return name, secret

    def revoke(self, name: str) -> None:
        """Let a key be none from now on, also where a server runs.

        Raises:
            AccessError: there is none of that name.
            OSError: the file cannot be written.
        """
        with self._changing():
            left = tuple(key for key in self.all() if key.name != name)
            if len(left) == len(self.all()):
                known = ", ".join(key.name for key in left) or "none yet"
                raise AccessError(f"there is no key '{printable(name)}'; the keys are: {known}")
            self._write(left)

    def find(self, secret: str) -> Key | None:
        """The key that somebody brings, or None; it takes equally long for every wrong one."""
        brought = hashed(secret)
        found = None
        for key in self.all():
            if hmac.compare_digest(key.sha256, brought):
                found = key
        return found

    def _changing(self) -> FileLock:
        with private():
            self.path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(self.path.with_suffix(".lock"), mode=0o600)

    def _write(self, keys: tuple[Key, ...]) -> None:
        content = json.dumps({"keys": [asdict(key) for key in keys]}, indent=1)
        with private(), replacing(self.path) as partial:
            partial.write_text(content + "\n", encoding="utf-8")


def _free(names: set[str]) -> str:
    return next(name for name in map("key{}".format, range(1, len(names) + 2)) if name not in names)


def _checked(name: str, names: set[str]) -> str:
    name = name.strip()
    if not name or len(name) > _LONGEST or name != printable(name):
        raise AccessError(
            f"expected a name of 1 to {_LONGEST} printable characters for the key, got "
            f"'{printable(name[:_LONGEST])}'"
        )
    if name in names:
        raise AccessError(
            f"there is a key '{name}' already; choose another --name, or: emorank serve key "
            f"revoke {name}"
        )
    return name
