"""How far long work is, where nobody watches a bar."""

from emorank.cli import progress_bars


def test_a_file_or_a_pipe_gets_a_line_now_and_then(capsys, monkeypatch):
    """With the stage, the number done, the seconds, those left at this pace, and the note."""
    seconds = iter([0, 10, 29, 31, 45, 62])
    monkeypatch.setattr("time.monotonic", lambda: next(seconds))
    with progress_bars.ProgressBars() as bars:
        monkeypatch.setattr(bars, "bars", Quiet())
        progress = bars.start("explain")
        for done in (1, 2, 1003, 1004, 1500):
            progress(done, 2000, "[a\x1b].png")
    assert capsys.readouterr().err.splitlines() == [
        "explain: 1,003 of 2,000, 31 s, about 21 s left [a\\x1b].png",
        "explain: 1,500 of 2,000, 62 s, about 17 s left [a\\x1b].png",
    ]


class Quiet:
    """Bars that ask for no time."""

    def add_task(self, *_, **__):
        return 0

    def reset(self, *_, **__):
        """Nothing."""

    update = stop = start = reset
