"""`emorank audit` from the shell: the sentence, the page, and errors that say what to do."""

import pytest

pytestmark = pytest.mark.weights


def test_the_verb_audits_and_renews_the_report(cli, own_study, tmp_path):
    """A row per rank, the sentence last; the page has the section."""
    scores = tmp_path / "others.csv"
    images = own_study.table("predictions")["image"]
    scores.write_text("image,score\n" + "".join(f"{i},{n}\n" for n, i in enumerate(images)))
    done = cli("audit", own_study.folder, "--rank", "logit", "--faces", 0, "--scores", scores)
    assert done.code == 0, done.err
    headline = own_study.result("audit")["headline"]
    assert done.out.splitlines()[-1] == headline
    for name in ("logit", "scores", "constant (control)", "random (control)"):
        assert any(line.strip().startswith(name) for line in done.out.splitlines())
    assert "2 persons are rough" in done.err
    page = (own_study.folder / "report" / "index.html").read_text()
    assert "How far the ranks can be believed" in page


def test_what_was_asked_is_said(cli, own_study):
    """On the terminal and on the page: the emotion of the label, or the one that is named."""
    for option, says in (((), "that the network names"), (("--asked",), "is labelled with")):
        done = cli("audit", own_study.folder, "--rank", "logit", "--faces", 0, *option)
        assert done.code == 0, done.err
        assert says in done.out
        assert says in (own_study.folder / "report" / "index.html").read_text()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--rank", "loudness"], "'loudness' is no rank; expected one of contrast, paper"),
        (["--scores", "none.csv"], "none.csv"),
        (["--votes", "none.csv"], "none.csv"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(cli, own_study, options, says):
    """And nothing is written."""
    assert says in cli("audit", own_study.folder, *options).failure
    assert not own_study.path("audit.json").exists()


def test_a_folder_without_a_study_is_no_study(cli, tmp_path):
    """The way to make one is told."""
    assert "no study here" in cli("audit", tmp_path).failure


def test_negative_faces_are_wrong_usage(cli, own_study):
    """Exit status 2, as is the custom."""
    assert cli("audit", own_study.folder, "--faces", "-1").code == 2
