"""What is uploaded: the sdist has all that is tracked, and the links of PyPI's page hold there."""

import email
import re
import tomllib
import zipfile

import pytest
from markdown_it import MarkdownIt
from release.pypi_page import absolute
from tests.wheels import ROOT, build, tracked

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SOURCE = PROJECT["urls"]["Source"]


def test_the_sdist_has_what_is_tracked(unpacked):
    """Tests, docs, studies, benchmarks and all else; no more than these.

    A new file or folder at the top goes into `only-include` of pyproject.toml.
    """
    inside = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*")}
    inside = {name for name in inside if (unpacked / name).is_file()} - {"PKG-INFO"}
    assert inside == tracked(ROOT) - {"PKG-INFO"}


def test_the_wheel_of_the_sdist_is_that_of_the_tree(unpacked, wheel, tmp_path):
    """Byte for byte: what pip builds of the sdist is what we tested."""
    assert build("wheel", unpacked, tmp_path).read_bytes() == wheel.read_bytes()


def test_the_links_of_pypis_page_hold_there(unpacked, wheel):
    """Each link and picture is absolute, and names a file that is there, of this version."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
    assert metadata["Description-Content-Type"] == "text/markdown"
    text = metadata.get_payload(decode=True).decode()
    page = MarkdownIt().render(text)
    found = re.findall(r'(?:href|src)="([^"]*)"', page)
    assert len(found) > 20
    assert "<img " in page
    tag = f"v{metadata['Version']}"
    for link in found:
        own = re.fullmatch(f"{re.escape(SOURCE)}/(raw|blob)/([^/]+)/([^#]+)(#.+)?", link)
        if not own:
            assert re.match(r"https://(?!.*emorank)", link), link
            continue
        assert own[2] == tag
        assert (unpacked / own[3]).exists()
        assert (own[1] == "raw") == own[3].endswith((".png", ".jpg"))


def test_links_become_absolute(tmp_path):
    """Files with their anchors, pictures raw; anchors, other hosts and mail stay as they are."""
    for name in ("a.md", "b.png"):
        (tmp_path / name).touch()
    text = "[a](a.md#x) ![b](b.png) [c](#here) [d](https://x.org/a.md) [e](mailto:a@x.org)"
    assert absolute(text, tmp_path, "https://f.org/p", "1.2") == (
        "[a](https://f.org/p/blob/v1.2/a.md#x) ![b](https://f.org/p/raw/v1.2/b.png) "
        "[c](#here) [d](https://x.org/a.md) [e](mailto:a@x.org)"
    )
    with pytest.raises(ValueError, match=r"README\.md: no\.md leads to no file of the project"):
        absolute("[a](no.md)", tmp_path, "https://f.org/p", "1.2")
