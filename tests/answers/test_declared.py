"""What is said of a file: words, numbers, and what cannot be said."""

import pytest

from emorank.answers.declared import declared, parse_words
from emorank.errors import VotesError


def test_words_then_numbers_then_ours():
    """A word that is mapped has that meaning alone; numbers are cut; others mean what they say."""
    said = declared(words={"Low": "avg", "1.0": "Skip"}, cut=(2, 3, 4.5))
    given = (" LOW ", "1", "1.0", "2", "4.4", "4.5", "-7", "Strong", "none")
    assert [said.answer(word) for word in given] == [
        *("Average", "Skip", "Skip", "Minimal", "Average", "Strong", "None", "Strong", "None"),
    ]
    with pytest.raises(VotesError, match=r"'Huge' is no answer.*--map"):
        said.answer("Huge")
    with pytest.raises(VotesError, match="'nan' is no answer"):
        said.answer("nan")


def test_a_rating_has_no_meaning_of_itself():
    """Although 1, 2 and 3 are ranks where people write them as answers."""
    with pytest.raises(VotesError, match="the number 1 is no rank of itself"):
        declared().number(1)
    assert declared(words={"1": "Strong"}).number(1) == "Strong"
    assert declared(words={"1": "Strong"}).number(1.0) == "Strong"
    assert declared(cut=(1, 2, 3)).number(2.5) == "Average"
    assert declared(cut=(1, 2, 3)).number(2.99999999) == "Average"


@pytest.mark.parametrize("cut", [(1, 2), (3, 2, 1), (1, 2, float("inf")), (1, float("nan"), 2)])
def test_a_cut_is_three_ascending_numbers(cut):
    """Others are refused."""
    with pytest.raises(VotesError, match="ascending, such as 1,2,3"):
        declared(cut=cut)


def test_a_map_is_words_with_answers():
    """A word may hold an equals sign; nothing is there twice."""
    assert parse_words("Low=Minimal, a=b = Strong") == {"Low": "Minimal", "a=b": "Strong"}
    for text in ("Low", "=Minimal", "Low=", "Low=Min,,", "Low=Min,low=Max"):
        with pytest.raises(VotesError, match="expected each word once"):
            parse_words(text)
    with pytest.raises(VotesError, match="'Huge' is no answer"):
        declared(words={"Low": "Huge"})
