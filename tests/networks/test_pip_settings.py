"""Where packages come from on this machine, as pip is told."""

import os

import pytest

from emorank.errors import WeightsError
from emorank.networks.pip_settings import PYPI, package_indexes, pip_setting


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    """Nothing is set, in the environment or in files."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


@pytest.fixture
def settings(monkeypatch, tmp_path):
    """Write a file of settings."""

    def write(text):
        (tmp_path / "pip.conf").write_text(text)
        monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))

    return write


def test_packages_come_from_pypi_where_nothing_else_is_set():
    """And no proxy is used."""
    assert package_indexes() == [PYPI]
    assert pip_setting("proxy") == ""


def test_a_file_sets_another_index(settings, monkeypatch):
    """`download` counts more than `global`, the environment more than files; folders are no web."""
    settings(
        "[global]\nindex-url = https://a/simple\n"
        "extra-index-url =\n  file:///opt/simple\n  http://b/simple/\n"
        "[install]\nindex-url = https://c/simple\n"
    )
    assert package_indexes() == ["https://a/simple", "http://b/simple"]
    settings("[global]\nindex_url = https://a\n[download]\nindex-url = https://d/%20simple\n")
    assert package_indexes() == ["https://d/%20simple"]
    monkeypatch.setenv("PIP_INDEX_URL", "https://e/simple/")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://f https://g")
    assert package_indexes() == ["https://e/simple", "https://f", "https://g"]


def test_the_users_own_file_is_read(monkeypatch, tmp_path):
    """Where pip itself finds it."""
    monkeypatch.delenv("PIP_CONFIG_FILE")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "mine"))
    for folder, index in ((".pip", "https://old"), ("mine/pip", "https://new")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "pip.conf").write_text(f"[global]\nindex-url = {index}\n")
        assert package_indexes()[0] == index


@pytest.mark.parametrize("text", ["index-url = https://a\n", "[global]\na = 1\na = 2\n"])
def test_a_broken_file_is_named(settings, text):
    """Settings that cannot be read are not taken for none."""
    settings(text)
    with pytest.raises(WeightsError, match=r"settings of pip cannot be read.*pip\.conf"):
        package_indexes()
