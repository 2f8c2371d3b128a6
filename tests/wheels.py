"""The sdist, and the wheel in a fresh environment, built once for all workers of a test run."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parent.parent


def tracked(folder):
    """The files of a folder, relative to it, that git tracks; skips where there is no clone."""
    if not (ROOT / ".git").exists():
        pytest.skip("an unpacked sdist is no clone: nothing says what is tracked")
    command = ["git", "ls-files", "-z", "."]
    listed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return set(listed.stdout.split("\0")) - {""}


def build(kind, tree, folder):
    """Build the `"sdist"` or `"wheel"` of a tree with hatchling; returns its path."""
    # -B: a build of the unpacked sdist leaves nothing in it.
    command = [sys.executable, "-B", "-m", "hatchling", "build", "--target", kind]
    command += ["-d", str(folder)]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.tar.gz" if kind == "sdist" else "*.whl"))


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory):
    """The folder of the sdist that this tree gives, unpacked; to be read only."""
    from tests.conftest import shared_folder

    folder = shared_folder(tmp_path_factory) / "sdist"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            making = folder.with_name("making_sdist")
            with tarfile.open(build("sdist", ROOT, making)) as archive:
                archive.extractall(making / "unpacked", filter="data")
            making.rename(folder)
    return next((folder / "unpacked").iterdir())


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel that pip builds of this tree with the back end of the test environment."""
    from tests.conftest import shared_folder

    folder = shared_folder(tmp_path_factory) / "wheel"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
            command += ["--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
            built = subprocess.run(command, capture_output=True, text=True, check=False)
            if built.returncode != 0:
                if os.environ.get("EMORANK_REQUIRE_ALL"):
                    pytest.fail(built.stderr)
                pytest.skip(f"pip builds no wheel here: {built.stderr.strip().splitlines()[-1:]}")
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def python(wheel, tmp_path_factory):
    """The Python of a fresh environment with the wheel in it.

    The libraries are those of the test environment, which the fresh one finds by a `.pth` file; the
    installed program lies before them.
    """
    from tests.conftest import shared_folder

    folder = shared_folder(tmp_path_factory) / "fresh"
    python = folder / "venv" / "bin" / "python"
    with FileLock(f"{folder}.lock"):
        if not (folder / "done").exists():
            venv.create(folder / "venv", with_pip=False, symlinks=True)
            install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
            subprocess.run([*install, "--no-deps", "--no-index", wheel], check=True)
            packages = next(folder.glob("venv/lib/python*/site-packages"))
            (packages / "libraries.pth").write_text(sysconfig.get_path("purelib"))
            (folder / "done").touch()
    return python
