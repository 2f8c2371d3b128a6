"""The ordinal output: its losses and probabilities against an oracle, and that it learns order."""

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import ordinal as oracle

from emorank.networks import ordinal
from emorank.networks.features import Features
from emorank.networks.training import Examples, Recipe, train
from emorank.relevance import PRESETS, override_preset, prepare
from emorank.vocabulary import LEVELS, Emotion

RECIPE = Recipe(epochs=40, batch=8, learning_rate=1e-3, hidden=16, dropout=0.0, seed=3)
ORACLES = {"cumulative": oracle.cumulative, "coral": oracle.coral}
reals = st.floats(-20, 20, width=32)


def outputs(scores, thresholds):
    """Scores less thresholds, as the network gives them."""
    return (torch.tensor(scores)[:, :, None] - torch.tensor(thresholds)).flatten(1)


@pytest.mark.parametrize("loss", ordinal.LOSSES)
def test_losses_are_those_of_the_papers(loss):
    """Against one face and emotion at a time, with weights and with levels that nobody knows."""
    random = np.random.default_rng(1)
    scores, thresholds = random.normal(0, 2, (9, 4)).tolist(), [-1.3, 0.0, 2.1]
    levels = random.integers(-1, 4, (9, 4))
    weights = [0.5, 1.0, 2.0, 3.0]
    found = ordinal.LOSSES[loss](
        outputs(scores, thresholds).double(), torch.from_numpy(levels), torch.tensor(weights)
    )
    expected = oracle.mean(ORACLES[loss], scores, thresholds, levels.tolist(), weights)
    np.testing.assert_allclose(float(found), expected, rtol=1e-5)


@pytest.mark.parametrize("loss", ordinal.LOSSES)
def test_losses_keep_their_digits_far_out(loss):
    """Where every probability rounds to 0 or 1 the loss and its gradient are finite."""
    odds = outputs([[300.0], [-300.0], [300.0]], [-2.0, 0.0, 2.0]).requires_grad_()
    value = ordinal.LOSSES[loss](odds, torch.tensor([[0], [3], [1]]), torch.ones(4))
    value.backward()
    assert bool(torch.isfinite(odds.grad).all())
    assert 200 < float(value.detach()) < 1000


@given(st.lists(reals, min_size=1, max_size=6), st.lists(reals, min_size=2, max_size=2))
def test_probabilities_are_probabilities(scores, raw):
    """They are not negative, sum to one, and are those of the oracle, whatever was learnt."""
    thresholds = ordinal.Thresholds()
    with torch.no_grad():
        thresholds.distances.copy_(torch.tensor(raw) / 100)
        odds = thresholds(torch.tensor([scores])).numpy()
        places = thresholds.places.tolist()
    found = ordinal.probabilities(odds)
    assert found.shape == (1, len(scores), len(LEVELS))
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(-1), 1, rtol=1e-12)
    expected = [[oracle.level_probability(s, places, k) for k in range(4)] for s in scores]
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=2, max_size=2))
def test_thresholds_never_lose_their_order(raw):
    """Whatever the parameters are, and the middle one is zero."""
    thresholds = ordinal.Thresholds()
    with torch.no_grad():
        thresholds.distances.copy_(torch.tensor(raw))
    low, middle, high = thresholds.places.tolist()
    assert low <= middle == 0 <= high


@given(st.lists(reals, min_size=2, max_size=8))
def test_the_level_grows_with_the_score(scores):
    """The median level never falls when the score rises, nor does the expected one."""
    odds = outputs([[score] for score in sorted(scores)], [-1.5, 0.0, 0.1]).numpy()
    assert (np.diff(ordinal.levels(odds)[:, 0]) >= 0).all()
    expected = ordinal.probabilities(odds)[:, 0] @ np.arange(4)
    assert (np.diff(expected) >= -1e-12).all()


def test_levels_are_medians():
    """Half of the probability lies at the level or below, and half at it or above."""
    odds = outputs([[-3.0], [-0.5], [0.4], [5.0]], [-2.0, 0.0, 1.0]).numpy()
    assert ordinal.levels(odds)[:, 0].tolist() == [0, 1, 2, 3]
    for level, shares in enumerate(ordinal.probabilities(odds)[:, 0]):
        assert shares[: level + 1].sum() >= 0.5
        assert shares[level:].sum() >= 0.5


def test_labels_are_of_the_expressed_emotion():
    """Others are None, or not known if that is wanted; neutral is None of all."""
    words, levels, emotions = (
        ["happy", "neutral", "anger"],
        [2, 0, 3],
        (Emotion.ANGER, Emotion.HAPPY),
    )
    assert ordinal.labels(words, levels, emotions).tolist() == [[0, 2], [0, 0], [3, 0]]
    unknown = ordinal.labels(words, levels, emotions, ordinal.UNKNOWN)
    assert unknown.tolist() == [[-1, 2], [0, 0], [3, -1]]


def test_right_is_the_level_of_the_expressed_emotion():
    """What another emotion gets does not count, unless the face is neutral."""
    odds = outputs([[3.0, -5.0], [3.0, 5.0], [-5.0, -5.0], [-5.0, 5.0]], [-2.0, 0.0, 2.0])
    given_levels = torch.tensor([[3, 0], [3, -1], [0, 0], [0, 0]])
    assert ordinal.objective().right(odds, given_levels).tolist() == [True, True, True, False]


@pytest.fixture(scope="module")
def graded():
    """Faces of two emotions whose pattern is the stronger the higher the level: `graded(seed)`."""
    patterns = torch.randn(2, 512, 7, 7, generator=torch.Generator().manual_seed(0)).numpy()

    def examples(seed, copies=3):
        random = np.random.default_rng(seed)
        words = ["anger", "happy"] * 4 * copies
        levels = np.repeat(np.tile(np.arange(4), copies), 2)
        emotions = (Emotion.ANGER, Emotion.HAPPY)
        labels = ordinal.labels(words, levels.tolist(), emotions)
        clean = patterns[np.arange(len(words)) % 2] * levels[:, None, None, None]
        records = clean + 0.5 * random.standard_normal(clean.shape) + 0.1
        numbers = np.arange(len(words))
        return Examples(Features(records.astype(np.float16), numbers), numbers[:, None], labels)

    return examples


@pytest.fixture(scope="module", params=ordinal.LOSSES)
def trained(request, graded):
    """A network that has learnt the graded faces, before and after it is unfolded."""
    net = ordinal.fresh(2, {}, RECIPE)
    train(net, graded(1), graded(2), RECIPE, objective=ordinal.objective(request.param))
    ordinal.fit_thresholds(net, RECIPE.cut, graded(2))
    return net, *ordinal.unfold_thresholds(net)


def test_it_learns_levels_and_thresholds(trained, graded):
    """Faces it has not seen get their levels, and the thresholds have moved."""
    net, _, thresholds = trained
    examples = graded(5)
    inputs, labels = examples.batch(np.arange(24), 0, torch.device("cpu"))
    with torch.inference_mode():
        found = ordinal.levels(net.tail(inputs, RECIPE.cut).numpy())
    own = labels.amax(1, keepdim=True) == labels
    errors = np.abs(found - labels.numpy())[own.numpy()]
    assert (errors == 0).mean() >= 0.75
    assert errors.max() <= 1
    assert thresholds[0] < thresholds[1] == 0 < thresholds[2]
    assert max(abs(abs(place) - 2) for place in thresholds[::2]) > 0.02


def test_settling_finds_the_thresholds_that_made_the_levels():
    """Levels drawn from known thresholds and a known scale: both are found again."""
    random = np.random.default_rng(4)
    scores = random.normal(0, 2, (4000, 1))
    odds = 1.5 * scores[:, :, None] - np.array([-1.0, 0.5, 3.0])
    drawn = (random.random((4000, 1, 1)) < 1 / (1 + np.exp(-odds))).sum(-1)
    scale, middle, distances = ordinal.most_likely_thresholds(
        torch.from_numpy(scores), torch.from_numpy(drawn), torch.tensor([-2.0, 0.0, 2.0]).double()
    )
    assert abs(scale - 1.5) < 0.15
    assert abs(middle - 0.5) < 0.15
    np.testing.assert_allclose(distances, [1.5, 2.5], atol=0.2)


def test_settling_keeps_the_order_of_faces(graded):
    """Scores are scaled and shifted by the same for all faces and emotions of a network."""
    net = ordinal.fresh(2, {}, RECIPE)
    inputs, _ = graded(3).batch(np.arange(24), 0, torch.device("cpu"))
    before = net.tail(inputs, RECIPE.cut)[:, 1::3].detach()
    ordinal.fit_thresholds(net, RECIPE.cut, graded(2))
    after = net.tail(inputs, RECIPE.cut)[:, 1::3].detach()
    scale = float((after[1, 0] - after[0, 0]) / (before[1, 0] - before[0, 0]))
    assert scale > 0
    shift = float(after[0, 0] - scale * before[0, 0])
    torch.testing.assert_close(after, scale * before + shift, rtol=1e-3, atol=1e-3)


def test_unfolding_changes_no_output(trained, graded):
    """The plain network, thresholds in its biases, says what the trained one said."""
    net, plain, thresholds = trained
    inputs, _ = graded(3).batch(np.arange(24), 0, torch.device("cpu"))
    with torch.inference_mode():
        expected, found = net.tail(inputs, RECIPE.cut), plain.tail(inputs, RECIPE.cut)
    torch.testing.assert_close(found, expected)
    odds = found.unflatten(1, (2, 3))
    torch.testing.assert_close(
        odds[..., :-1] - odds[..., 1:], torch.tensor(thresholds).diff().expand(24, 2, 2)
    )
    assert set(plain.state_dict()) == {k for k in net.state_dict() if "classifier.7" not in k}


def test_everything_has_a_seed(graded):
    """The same seed makes the same network, thresholds included."""
    recipe = msgspec.structs.replace(RECIPE, epochs=2, dropout=0.5)
    nets = [ordinal.fresh(2, {}, recipe) for _ in range(2)]
    for net in nets:
        train(net, graded(1), graded(2), recipe, objective=ordinal.objective())
    for one, other in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_training_of_other_faces_is_not_gone_on_with(graded, tmp_path):
    """A state `of` something else is ignored; of the same it is taken up."""
    recipe, state = msgspec.structs.replace(RECIPE, epochs=3), tmp_path / "state.safetensors"
    parts = graded(1), graded(2)

    def run(of, stop=False):
        done = []

        def progress(epoch, total, note=""):
            done.append(epoch)
            if stop and epoch == 2:
                raise KeyboardInterrupt

        train(
            ordinal.fresh(2, {}, recipe), *parts, recipe, objective=ordinal.objective(),
            state=state, of=of, save_every=0.0, progress=progress,
        )  # fmt: skip
        return done

    with pytest.raises(KeyboardInterrupt):
        run("these", stop=True)
    kept = state.read_bytes()
    assert run("those") == [1, 2, 3, 3]
    state.write_bytes(kept)
    assert run("these") == [2, 3, 3]


@pytest.mark.parametrize("bias", ["absorbed", "distributed"])
@pytest.mark.parametrize("preset", PRESETS)
def test_the_map_accounts_for_the_threshold(preset, bias):
    """Pixels, biases (thresholds among them), stabilisers and the rest make up the log-odds."""
    net = ordinal.fresh(2, {}, replace_recipe(hidden=8))
    with torch.no_grad():
        net.classifier[6].bias.copy_(torch.tensor([0.3, -0.2]))
    plain, thresholds = ordinal.unfold_thresholds(net.double())
    images = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(1)).double()
    images = images.clamp(-3, 3)
    low, high = torch.full((3,), -3.0), torch.full((3,), 3.0)
    explain = prepare(plain, override_preset(preset, bias=bias), low=low, high=high)
    with torch.inference_mode():
        odds = plain(images)[0]
    records = [explain(images, [target]) for target in range(3)]
    for target, found in enumerate(records):
        torch.testing.assert_close(found.sums[0, 0], odds[target])
        account = found.pixels.sum() + (found.bias + found.stabiliser + found.lost).sum()
        torch.testing.assert_close(account, odds[target], rtol=1e-6, atol=1e-6)
    if bias == "absorbed":
        # At the last layer the biases differ by the thresholds and the inputs by nothing.
        taken = [float(found.bias[0, 0]) for found in records]
        np.testing.assert_allclose(taken[0] - taken[2], thresholds[2] - thresholds[0], atol=1e-4)
        scale = records[0].pixels.abs().max()
        torch.testing.assert_close(
            records[0].pixels / scale, records[2].pixels / scale, rtol=1e-3, atol=1e-3
        )


def replace_recipe(**changes):
    """The recipe, some of it changed."""
    return msgspec.structs.replace(RECIPE, **changes)
