"""Training: it learns, keeps its best epoch, and a kill changes nothing about the result."""

import os
from dataclasses import replace

import msgspec
import numpy as np
import pytest
import torch

from emorank.networks.features import Features
from emorank.networks.training import Examples, Recipe, fresh, score, train
from emorank.networks.vgg16 import CUT_HEAD

QUICK = Recipe(epochs=5, batch=4, learning_rate=1e-3, hidden=8, seed=3)
LABELS = np.tile([0, 1, 2], 4)


class Killed(Exception):
    """Stands for a kill."""


def kill_after(epochs):
    """A progress that ends the run after so many epochs; what was saved before is what is left."""

    def progress(done, total, note=""):
        if done == epochs:
            raise Killed

    return progress


class Tail(torch.nn.Module):
    """The whole classifier of a network, for scoring it as it will be used."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, maps):
        return self.net.tail(maps, CUT_HEAD)


def weights(net):
    return {name: tensor.clone() for name, tensor in net.state_dict().items()}


def assert_same(net, other):
    """Every weight equal to the last bit."""
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


def curves(history):
    return [replace(epoch, seconds=0.0) for epoch in history]


def test_it_learns_what_can_be_learnt(toy):
    """Separable classes are told apart on the training and on the validation part."""
    recipe = msgspec.structs.replace(QUICK, dropout=0.0, hidden=16)
    net = fresh(3, {}, recipe)
    told = []
    history = train(
        net, toy(LABELS), toy([0, 1, 2], seed=9), recipe,
        progress=lambda done, total, note="": told.append((done, total)),
    )  # fmt: skip
    assert [epoch.epoch for epoch in history] == [1, 2, 3, 4, 5]
    assert history[-1].train_loss < history[0].train_loss
    assert score(Tail(net), toy([0, 1, 2], seed=10), recipe)[1] == 1.0
    assert told == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5), (5, 5)]
    assert not net.training
    assert not any(p.requires_grad for p in net.parameters())


def test_frozen_layers_stay(toy):
    """With the head alone trained, no convolution changes and every dense layer does."""
    net = fresh(3, {}, QUICK)
    before = weights(net)
    train(net, toy(LABELS), toy([0, 1, 2]), QUICK)
    changed = {
        name for name, tensor in weights(net).items() if not torch.equal(tensor, before[name])
    }
    assert changed == {f"classifier.{i}.{kind}" for i in (0, 3, 6) for kind in ("weight", "bias")}


def test_unfreezing_changes_the_last_three_convolutions_only(toy):
    """Block 5 is features 24, 26 and 28; what lies before the cut stays."""
    recipe = msgspec.structs.replace(QUICK, unfreeze="block5", epochs=1)
    net = fresh(3, {}, recipe)
    before = weights(net)
    train(net, toy(LABELS[:4], 4), toy([0, 1, 2], 4), recipe)
    changed = {
        name for name, tensor in weights(net).items() if not torch.equal(tensor, before[name])
    }
    block5 = {f"features.{i}.{kind}" for i in (24, 26, 28) for kind in ("weight", "bias")}
    assert {name for name in changed if name.startswith("features")} == block5


def test_a_seed_decides_everything(toy):
    """Equal seeds, equal weights, whatever the global generator; another seed, other weights."""
    nets = []
    for seed in (3, 3, 4):
        recipe = msgspec.structs.replace(QUICK, seed=seed, epochs=2)
        net = fresh(3, {}, recipe)
        torch.rand(seed)
        train(net, toy(LABELS), toy([0, 1, 2]), recipe)
        nets.append(net)
    assert_same(nets[0], nets[1])
    assert not torch.equal(nets[0].classifier[6].weight, nets[2].classifier[6].weight)


def test_the_global_generators_are_left_alone(toy):
    """Neither drawing a network nor training it moves torch's or numpy's global generator."""
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1]  # noqa: NPY002
    net = fresh(3, {}, QUICK)
    train(net, toy(LABELS), toy([0, 1, 2]), msgspec.structs.replace(QUICK, epochs=1))
    assert torch.equal(torch.get_rng_state(), torch_state)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002


@pytest.mark.parametrize("unfreeze", ["none", "block5"])
@pytest.mark.parametrize("epoch", [2, 4])
def test_a_killed_training_goes_on_to_the_same_weights(toy, tmp_path, unfreeze, epoch):
    """Dropout, order, views and the optimiser's moments are where they would have been."""
    recipe = msgspec.structs.replace(QUICK, unfreeze=unfreeze, learning_rate=3e-3, epochs=4)
    side = 7 if unfreeze == "none" else 2
    parts = toy(LABELS, side, views=2, noise=3), toy([0, 1, 2], side, noise=3, seed=1)
    unbroken = fresh(3, {}, recipe)
    expected = train(unbroken, *parts, recipe)
    state = tmp_path / "state.safetensors"
    options = {"state": state, "save_every": 0.0}
    with pytest.raises(Killed):
        train(fresh(3, {}, recipe), *parts, recipe, progress=kill_after(epoch), **options)
    assert state.exists()
    net, done = fresh(3, {}, recipe), []
    found = train(net, *parts, recipe, progress=lambda n, total, note="": done.append(n), **options)
    assert done == [*range(epoch, 5), 4]  # the epoch that was not saved, and those after it
    assert curves(found) == curves(expected)
    assert_same(net, unbroken)
    assert list(tmp_path.iterdir()) == [state]  # until the caller has stored the result


def test_a_kill_after_the_best_epoch_keeps_it(toy, tmp_path):
    """The best weights come through a kill even if every later epoch is worse."""
    parts = toy(LABELS), toy([1, 2, 0])  # what is learnt is wrong on the validation part
    unbroken = fresh(3, {}, QUICK)
    expected = train(unbroken, *parts, QUICK)
    best = max(expected, key=lambda e: (e.validation_accuracy, -e.validation_loss))
    assert best.epoch < 5
    options = {"state": tmp_path / "state.safetensors", "save_every": 0.0}
    with pytest.raises(Killed):
        train(fresh(3, {}, QUICK), *parts, QUICK, progress=kill_after(5), **options)
    net = fresh(3, {}, QUICK)
    train(net, *parts, QUICK, **options)
    assert_same(net, unbroken)


def test_the_best_epoch_is_restored(toy):
    """The network ends as it was in its best epoch, not as it was in its last."""
    net, validation = fresh(3, {}, QUICK), toy([1, 2, 0])
    history = train(net, toy(LABELS), validation, QUICK)
    best = max(history, key=lambda e: (e.validation_accuracy, -e.validation_loss))
    assert best.validation_loss < history[-1].validation_loss
    loss, accuracy = score(Tail(net), validation, QUICK)
    np.testing.assert_allclose(loss, best.validation_loss, rtol=1e-5)
    assert accuracy == best.validation_accuracy


def test_it_stops_when_nothing_gets_better(toy):
    """`patience` epochs without a better one end the training; 0 never does."""
    recipe = msgspec.structs.replace(QUICK, epochs=30, patience=3)
    history = train(fresh(3, {}, recipe), toy(LABELS), toy([1, 2, 0]), recipe)
    best = max(history, key=lambda e: (e.validation_accuracy, -e.validation_loss))
    assert len(history) == best.epoch + 3 < 30


def test_patience_counts_through_a_kill(toy, tmp_path):
    """A training that was killed stops at the epoch at which it would have stopped."""
    recipe = msgspec.structs.replace(QUICK, epochs=30, patience=3)
    parts = toy(LABELS), toy([1, 2, 0])
    expected = train(fresh(3, {}, recipe), *parts, recipe)
    options = {"state": tmp_path / "state.safetensors", "save_every": 0.0}
    with pytest.raises(Killed):
        train(fresh(3, {}, recipe), *parts, recipe, progress=kill_after(3), **options)
    found = train(fresh(3, {}, recipe), *parts, recipe, **options)
    assert curves(found) == curves(expected)


@pytest.mark.parametrize("how", ["garbage", "cut", "empty", "other recipe", "foreign"])
def test_a_state_that_is_of_no_use_is_ignored(toy, tmp_path, how):
    """What a full disk spoilt or another plan left: the training starts afresh."""
    recipe = msgspec.structs.replace(QUICK, epochs=2)
    parts = toy(LABELS), toy([0, 1, 2])
    unbroken = fresh(3, {}, recipe)
    expected = train(unbroken, *parts, recipe)
    state = tmp_path / "state.safetensors"
    if how in {"garbage", "empty"}:
        state.write_bytes(b"no weights" if how == "garbage" else b"")
    else:
        other = msgspec.structs.replace(recipe, seed=8) if how == "other recipe" else recipe
        with pytest.raises(Killed):
            train(
                fresh(3, {}, other), *parts, other,
                state=state, save_every=0.0, progress=kill_after(2),
            )  # fmt: skip
        if how == "cut":
            os.truncate(state, state.stat().st_size // 2)
        if how == "foreign":
            from safetensors.torch import save_file

            save_file({"a": torch.zeros(1)}, state)
    net = fresh(3, {}, recipe)
    assert curves(train(net, *parts, recipe, state=state)) == curves(expected)
    assert_same(net, unbroken)


def test_a_flipped_byte_of_a_state_is_noticed(toy, tmp_path):
    """The training starts afresh, and does not go on from other weights."""
    parts, state = (toy(LABELS), toy([0, 1, 2])), tmp_path / "state.safetensors"
    expected = train(fresh(3, {}, QUICK), *parts, QUICK)
    with pytest.raises(Killed):
        train(
            fresh(3, {}, QUICK), *parts, QUICK, state=state, save_every=0.0, progress=kill_after(2)
        )
    data = bytearray(state.read_bytes())
    data[-9] ^= 64
    state.write_bytes(data)
    assert curves(train(fresh(3, {}, QUICK), *parts, QUICK, state=state)) == curves(expected)


def test_nothing_is_saved_before_its_time(toy, tmp_path):
    """Within `save_every` seconds no state is written."""
    state = tmp_path / "state.safetensors"
    with pytest.raises(Killed):
        train(
            fresh(3, {}, QUICK), toy(LABELS), toy([0, 1, 2]), QUICK,
            state=state, save_every=3600.0, progress=kill_after(4),
        )  # fmt: skip
    assert not state.exists()


@pytest.mark.parametrize(("class_weights", "shares"), [(False, (0.9, 0.1)), (True, (0.5, 0.5))])
def test_class_weights_make_up_for_numbers(class_weights, shares):
    """Of nine images and one, each class has half a say in the loss with weights."""
    recipe = Recipe(epochs=1, batch=10, dropout=0.0, hidden=4, class_weights=class_weights)
    alike = Features(np.full((10, 512, 7, 7), 2, np.float16), np.arange(10))
    examples = Examples(alike, np.arange(10)[:, None], np.array([0] * 9 + [1]))
    net = fresh(2, {}, recipe)
    with torch.inference_mode():
        logits = net.tail(alike.batch(np.arange(1)), recipe.cut)
        losses = -logits.log_softmax(1)[0].numpy()
    assert abs(losses[0] - losses[1]) > 0.05
    epoch = train(net, examples, examples, recipe)[0]
    np.testing.assert_allclose(epoch.train_loss, np.dot(shares, losses), rtol=1e-5)


def test_the_score_is_the_mean_over_all_images(toy):
    """Batches of unequal size weigh by their images."""
    net, examples = fresh(3, {}, QUICK), toy(np.arange(7) % 3)
    whole = score(Tail(net), examples, msgspec.structs.replace(QUICK, batch=7))
    parts = score(Tail(net), examples, msgspec.structs.replace(QUICK, batch=3))
    np.testing.assert_allclose(parts, whole, rtol=1e-5)


def test_every_view_of_an_image_is_learnt_from(toy):
    """Over the epochs the views drawn include each of an image's; scoring looks at the first."""
    examples, asked = toy(LABELS, views=3), []

    class Watched(Features):
        def batch(self, images):
            asked.append(images.copy())
            return super().batch(images)

    features = Watched(examples.features.records, examples.features.rows)
    recipe = msgspec.structs.replace(QUICK, epochs=12)
    train(fresh(3, {}, recipe), replace(examples, features=features), toy([0, 1, 2]), recipe)
    assert set(np.concatenate(asked)) == set(range(36))
    asked.clear()
    score(Tail(fresh(3, {}, recipe)), replace(examples, features=features), recipe)
    assert sorted(np.concatenate(asked)) == list(range(0, 36, 3))


def test_features_that_are_never_seen_have_no_weight(toy):
    """What is zero in every view of every training image says nothing, even where it isn't zero."""
    dead = np.zeros((512, 7, 7), bool)
    dead[::2] = True
    examples = toy(LABELS, views=2)
    examples.features.records[:, dead] = 0
    net = fresh(3, {}, QUICK)
    train(net, examples, toy([0, 1, 2]), QUICK)
    first = net.classifier[0].weight.detach()
    flat = torch.from_numpy(dead.ravel())
    assert bool((first[:, flat] == 0).all())
    assert bool((first[:, ~flat] != 0).any(0).all())


def test_given_convolutions_are_taken_over(net, convolutions):
    """A fresh network has the given convolutions, and a classifier drawn from its seed."""
    one, two = (fresh(3, convolutions, msgspec.structs.replace(QUICK, seed=s)) for s in (1, 2))
    for index in (0, 28):
        assert torch.equal(one.features[index].weight, net.features[index].weight)
    assert not torch.equal(one.classifier[0].weight, two.classifier[0].weight)
