"""Which shard is next, and how often one was tried in vain."""

from emorank.scale.to_do import ToDo


def test_shards_that_come_back_go_first_and_others_are_asked_for_one_by_one():
    """A list of any length is not walked ahead of the work."""
    asked = []
    to_do = ToDo(asked.append(n) or n for n in range(4))
    assert to_do.next() == 0
    assert asked == [0]
    to_do.again(0, later=True)
    to_do.again(7)
    assert [to_do.next() for _ in range(6)] == [7, 0, 1, 2, 3, None]


def test_only_ends_in_a_row_are_counted():
    """Of each shard, and of processes that had no network yet."""
    to_do = ToDo(iter(()))
    assert [to_do.in_vain(3), to_do.in_vain(3), to_do.in_vain(None)] == [1, 2, 1]
    to_do.went_on(3)
    assert [to_do.in_vain(3), to_do.in_vain(None)] == [1, 2]
