"""Whatever byte of a study is lost: what is read is right, or one sentence says why it is not."""

import numpy as np
import pytest
import torch

from emorank.errors import EmorankError
from emorank.networks import checkpoint
from emorank.results.network_source import NetworkSource
from emorank.study import run as stages
from emorank.study.card import model_card
from emorank.study.described import headline
from emorank.study.folder import open_study
from emorank.study.framed_faces import Framed
from emorank.study.relevance_maps import stores

pytestmark = pytest.mark.weights

FLIPS, CUTS = 24, 8


def spoilt(path, flips=FLIPS, cuts=CUTS):
    """The file with one byte changed, in many places; then with many lengths; then as it was."""
    whole, chance = path.read_bytes(), np.random.default_rng(len(path.name))
    ends = [0, 1, 2, len(whole) - 3, len(whole) - 2, len(whole) - 1]
    places = [*ends, *(int(chance.integers(len(whole))) for _ in range(flips))]
    try:
        for place in places:
            # In place: half a gigabyte would not be written each time.
            with path.open("r+b") as file:
                file.seek(place)
                file.write(bytes([whole[place] ^ (1 << int(chance.integers(8)))]))
            yield f"byte {place} of {path.name}"
            with path.open("r+b") as file:
                file.seek(place)
                file.write(whole[place : place + 1])
        for cut in [0, 1, len(whole) - 1, *(int(chance.integers(len(whole))) for _ in range(cuts))]:
            path.write_bytes(whole[:cut])
            yield f"{path.name} cut to {cut}"
        path.write_bytes(whole + b"\0")
        yield f"{path.name} longer"
    finally:
        path.write_bytes(whole)


def held(path, read, same, **how):
    """How often each outcome came: the right result, or an error of one sentence."""
    right = read()
    errors = 0
    for what in spoilt(path, **how):
        try:
            result = read()
        except EmorankError as error:
            message = str(error)
            assert "\n" not in message.strip(), (what, message)
            assert any(word in message for word in (path.name, path.parent.name)), (what, message)
            errors += 1
        else:
            assert same(result, right), what
    return errors


TABLES = ("images", "faces", "excluded", "split", "training", "predictions", "ranks", "votes")


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_read_as_it_was_written_or_not_at_all(own_study, name):
    """Each is read by every verb in one way."""
    path = own_study.path(f"{name}.parquet")
    errors = held(path, lambda: own_study.table(name), lambda a, b: a.equals(b))
    assert errors > FLIPS


def test_json_is_read_as_it_was_written_or_not_at_all(own_study):
    """What is done, what was measured, what a verb found."""
    own_study.write(NetworkSource("Mine", "CK+", 900, 7))
    for name, read in (
        ("stages.json", lambda: open_study(own_study.folder).stages()),
        ("metrics.json", lambda: (headline(own_study), model_card(own_study))),
        ("network.json", lambda: own_study.read(NetworkSource)),
    ):
        # A line break may become another space, which changes nothing but the checksum.
        assert held(own_study.path(name), read, lambda a, b: a == b) > FLIPS


def test_the_model_is_loaded_as_it_was_saved_or_not_at_all(own_study):
    """Sixty megabytes here, half a gigabyte with the usual width."""

    def load():
        return checkpoint.load(own_study.path("model.safetensors"))

    def same(one, other):
        states = one.net.state_dict(), other.net.state_dict()
        return all(torch.equal(states[0][key], states[1][key]) for key in states[1])

    assert held(own_study.path("model.safetensors"), load, same, flips=6, cuts=2) >= 10


@pytest.mark.parametrize("name", ["maps", "sums"])
@pytest.mark.parametrize("file", ["data", "keys"])
def test_relevance_is_read_as_it_was_computed_or_not_at_all(own_study, name, file):
    """Flipped bytes never become other ranks; lost records are missed."""
    layers = len(own_study.metrics()["conservation"]["layers"])
    digests = own_study.table("predictions").merge(own_study.table("faces"), on="image")["digest"]

    def read():
        maps, sums = stores(own_study, layers)
        return (maps if name == "maps" else sums).of(digests.to_list())

    path = own_study.path(f"relevance/{name}/{file}")
    assert held(path, read, np.array_equal) > 5


def test_ranks_of_damaged_relevance_are_refused(own_study):
    """The stage says so, the earlier ranks stay, and the way out that is named works."""
    ranks = own_study.table("ranks")
    with own_study.path("relevance/maps/data").open("r+b") as file:
        file.seek(4321)
        file.write(b"\xff")
    says = r"maps: the record .* is damaged .*; make it again: emorank explain --study"
    with pytest.raises(EmorankError, match=says):
        stages.run(own_study, first="rank", last="rank")
    assert own_study.table("ranks").equals(ranks)
    stages.run(own_study, first="explain", last="rank")
    assert own_study.table("ranks").equals(ranks)


def test_the_plan_says_what_was_done_or_is_another(own_study):
    """People may change it, so a changed byte makes it another plan, which is not done, or none."""
    for what in spoilt(own_study.path("study.toml"), cuts=4):
        try:
            study = open_study(own_study.folder)
            done = stages.is_done(study, "report")
        except EmorankError:
            continue
        assert not done or study.plan == own_study.plan, what


@pytest.mark.parametrize("name", ["metrics.json", "faces.parquet", "excluded.parquet"])
def test_the_way_out_that_is_named_works(cli, own_study, name):
    """Delete it and run: what is lost is made again, and the network is not trained again."""
    whole, model = own_study.metrics(), own_study.path("model.safetensors").stat().st_mtime_ns
    with own_study.path(name).open("r+b") as file:
        file.seek(60)
        file.write(b"\xff")
    failure = cli("card", own_study.folder).failure if name == "metrics.json" else ""
    assert (
        not failure or f"delete it and run again: emorank run --out {own_study.folder}" in failure
    )
    own_study.path(name).unlink()
    done = cli("run", "--out", own_study.folder)
    assert done.code == 0, done.err
    assert "✓ (done before) train" in done.err
    assert own_study.path("model.safetensors").stat().st_mtime_ns == model
    assert own_study.metrics() == whole
    Framed(own_study, own_study.table("faces"))(0)
