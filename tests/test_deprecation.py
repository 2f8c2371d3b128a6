"""What is given up works until the version that was announced, and says what to write instead."""

import inspect
import re
import warnings
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from typing_extensions import deprecated

import emorank
from emorank.deprecation import notice, renamed_keyword

SOURCE = Path(emorank.__file__).parent
GOES = re.compile(r'goes(?: in emorank |=")(\d+)\.(\d+)')


@renamed_keyword("side", "size", goes="2.0")
def cut(rgb: str, *, size: int = 224) -> tuple[str, int]:
    """A function whose parameter had another name."""
    return rgb, size


@deprecated(notice("emorank.cut", "emorank.crop", "2.0"))
def whole() -> int:
    """A function that will go."""
    return 7


def test_a_former_keyword_still_works_and_warns_where_it_is_written():
    """The warning names both and the version; signature and docstring are those of the new way."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cut("a", size=3) == ("a", 3)
    said = r"^cut\(side=…\) is deprecated and goes in emorank 2\.0; use size=…$"
    with pytest.warns(DeprecationWarning, match=said) as caught:
        assert cut("a", side=3) == ("a", 3)
    assert caught[0].filename == __file__
    with pytest.raises(TypeError, match="'size' and its former name 'side'"):
        cut("a", side=3, size=3)
    assert list(inspect.signature(cut).parameters) == ["rgb", "size"]
    with pytest.warns(DeprecationWarning, match=r"goes in emorank 2\.0; use emorank\.crop"):
        assert whole() == 7


def test_a_former_name_leads_to_the_new_one(monkeypatch):
    """Also where it is imported; it is neither listed nor kept, so that each use warns."""
    monkeypatch.setitem(emorank._FORMER, "rank_photos", ("Rank", "2.0"))
    said = r"emorank\.rank_photos is deprecated and goes in emorank 2\.0; use emorank\.Rank"
    for _ in range(2):
        with pytest.warns(DeprecationWarning, match=said) as caught:
            assert emorank.rank_photos is emorank.Rank
        assert caught[0].filename == __file__
    with pytest.warns(DeprecationWarning, match=said):
        from emorank import rank_photos
    assert rank_photos is emorank.Rank
    assert "rank_photos" not in dir(emorank)


def test_a_former_option_says_so_in_its_help_and_when_it_is_used():
    """What click does for an option."""

    @click.command()
    @click.option("--grey", deprecated=notice("--grey", "--gray", "2.0"))
    def verb(grey):
        """Do something."""

    run = CliRunner().invoke
    for words in (["--help"], ["--grey", "x"]):
        said = " ".join(run(verb, words).output.split())
        assert "goes in emorank 2.0; use --gray" in said
    assert "deprecated" not in run(verb, []).output.lower()


def overdue(text: str, version: str) -> list[str]:
    """Announced versions that have come."""
    now = tuple(map(int, version.split(".")[:2]))
    return [found[0] for found in GOES.finditer(text) if (int(found[1]), int(found[2])) <= now]


def test_what_was_announced_to_go_has_gone():
    """Once a version is there, nothing says of itself that it goes in that version."""
    assert overdue('renamed_keyword("a", "b", goes="1.2")', "1.1.9") == []
    assert overdue('renamed_keyword("a", "b", goes="1.2")', "1.2.0") == ['goes="1.2']
    assert overdue("goes in emorank 1.10", "1.9.0") == []
    assert overdue("goes in emorank 1.10", "2.0.0") == ["goes in emorank 1.10"]
    for path in SOURCE.rglob("*.py"):
        assert not overdue(path.read_text(encoding="utf-8"), emorank.__version__), path
    for name, (instead, goes) in emorank._FORMER.items():
        assert not overdue(f'goes="{goes}"', emorank.__version__), name
        assert instead in emorank.__all__
        assert name not in emorank.__all__
