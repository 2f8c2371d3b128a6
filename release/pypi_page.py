"""The README as PyPI shows it: its links lead to the tagged files of the project's address.

On a forge the links of README.md are relative, so that they hold in every branch. PyPI knows no
other file of the project, so hatchling, which builds the wheel and the sdist, asks this hook.
"""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"(?P<before>(?P<picture>!?)\[[^\]]*\]\()(?P<target>[^)\s]+)(?P<after>\))")


class PyPIPage(MetadataHookInterface):
    """Hands the README with absolute links to the metadata of the package."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the readme of the metadata.

        Raises:
            ValueError: a link of README.md leads to no file of the project.
        """
        folder = Path(self.root)
        text = (folder / "README.md").read_text(encoding="utf-8")
        text = absolute(text, folder, metadata["urls"]["Source"], metadata["version"])
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def absolute(text: str, folder: Path, address: str, version: str) -> str:
    """Let the relative links of a page lead to the files of a version at an address.

    Raises:
        ValueError: a link leads to no file of `folder`.
    """

    def moved(link: re.Match[str]) -> str:
        target = link["target"]
        if re.match(r"[a-z]+:", target) or target.startswith("#"):
            return link[0]
        if not (folder / target.partition("#")[0]).exists():
            raise ValueError(f"README.md: {target} leads to no file of the project")
        kind = "raw" if link["picture"] else "blob"
        return f"{link['before']}{address}/{kind}/v{version}/{target}{link['after']}"

    return LINK.sub(moved, text)
