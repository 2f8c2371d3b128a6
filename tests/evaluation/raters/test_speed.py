"""How many answers of raters came too fast."""

from emorank.answers.answers_table import answers_table
from emorank.evaluation.raters.consistency import ALL
from emorank.evaluation.raters.speed import Speed, speed


def test_each_rater_and_all():
    """Repeats count too; an answer without a time is not counted; raters in their natural order."""
    times = {"r10": (100, 499, 900, 500), "r2": (None, 300), "r3": (None,)}
    table = answers_table(
        {"image": f"i{n}", "rater": name, "answer": "Strong", "reaction_ms": ms, "repeat": n == 1}
        for name, all_ms in times.items()
        for n, ms in enumerate(all_ms)
    )
    assert speed(table) == (
        Speed(ALL, 5, 3, 0.6),
        Speed("r2", 1, 1, 1.0),
        Speed("r10", 4, 2, 0.5),
    )


def test_without_times_there_is_nothing():
    """Empty, as consistency is without repeats."""
    assert speed(answers_table([{"image": "a", "rater": "r", "answer": "Skip"}])) == ()
