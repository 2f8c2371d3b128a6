"""What has to be true of a clone before something is uploaded that nobody can take back.

`python -m release.check` says what is not, and exits with 1 then.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path


def git(folder: Path, *words: str) -> str:
    """What git answers, or "" if it cannot."""
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def web_address(remote: str) -> str:
    """The address in a browser of what git calls a remote: `git@host:a/b.git`, `https://host/a/b`."""
    host_and_path = re.sub(r"^(?:\w+://)?(?:[^@/]+@)?", "", remote)
    return "https://" + host_and_path.replace(":", "/", 1).removesuffix("/").removesuffix(".git")


def faults(folder: Path) -> list[str]:
    """A sentence for each thing that is not as it has to be: what was found, and what to do."""
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    program = (folder / "src" / "emorank" / "__init__.py").read_text(encoding="utf-8")
    version = re.search(r'^__version__ = "(.+)"$', program, re.MULTILINE)[1]
    changes = (folder / "CHANGELOG.md").read_text(encoding="utf-8")
    source, origin = project["urls"]["Source"], git(folder, "remote", "get-url", "origin")
    found = []
    if not origin:
        found.append("there is no remote `origin`: push the project to its forge first")
    elif web_address(origin) != source:
        found.append(
            f"[project.urls] of pyproject.toml says {source}, but origin is {web_address(origin)}:"
            " correct Source and all that the tests name then"
        )
    if git(folder, "status", "--porcelain"):
        found.append("files are changed or not tracked: commit them, or take them away")
    if f"v{version}" not in git(folder, "tag", "--points-at", "HEAD").split():
        found.append(f"this commit has no tag v{version}, to which PyPI's page links: git tag it")
    if not re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", changes, re.MULTILINE):
        found.append(f"CHANGELOG.md has no heading `## [{version}] - YYYY-MM-DD`")
    return found


if __name__ == "__main__":
    told = faults(Path(__file__).parent.parent)
    print("\n".join(told) or "Ready to be uploaded.")
    sys.exit(bool(told))
