"""`emorank paper`: where it writes, what it says, how it refuses."""

import shutil

import pytest


@pytest.mark.weights
def test_the_papers_tables_where_they_are_wanted(cli, finished, tmp_path):
    """The page's path on stdout; nothing is written into the study."""
    before = {path.name for path in finished.iterdir()}
    done = cli("paper", finished, "--out", tmp_path / "deep" / "paper")
    assert done.code == 0, done.err
    assert done.out.strip() == str(tmp_path / "deep" / "paper" / "index.html")
    assert (tmp_path / "deep" / "paper" / "table_6-9.tex").is_file()
    assert {path.name for path in finished.iterdir()} == before
    again = cli("paper", finished, "--out", tmp_path / "deep" / "paper")
    assert "is there already" in again.failure


@pytest.mark.weights
def test_what_is_missing_is_told(cli, finished, tmp_path):
    """A study cut short: counts come, the others are lines on stderr, and the exit is 0."""
    study = tmp_path / "s"
    shutil.copytree(finished, study, ignore=lambda folder, names: {"ranks.parquet", "relevance"})
    done = cli("paper", study)
    assert done.code == 0, done.err
    assert "missing: Tables 3 and 4: the stage 'rank' is not done" in done.err
    assert (study / "paper" / "table_2.csv").is_file()


def test_a_folder_that_is_no_study_is_refused(cli, tmp_path):
    """One line, and nothing written."""
    done = cli("paper", tmp_path)
    assert done.code == 1
    assert "no study here" in done.err
    assert not list(tmp_path.iterdir())
