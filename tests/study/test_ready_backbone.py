"""A study on the shipped networks: trained in seconds, kept in kilobytes, explained."""

import json

import numpy as np
import pytest
import torch
from tests.conftest import EMOTIONS, write_votes

from emorank.errors import PlanError, WeightsError
from emorank.networks import checkpoint
from emorank.networks.backbones import BACKBONES
from emorank.networks.network import load_network
from emorank.networks.ready import READY, load_ready
from emorank.networks.tensors import save_tensors
from emorank.networks.training import fresh
from emorank.reading.measured import Measured
from emorank.study.card import model_card
from emorank.study.folder import create_study, open_study
from emorank.study.framed_faces import Framed
from emorank.study.learning.measured_faces import measured_faces
from emorank.study.learning.train_ordinal import train_ordinal
from emorank.study.plan import Plan, override
from emorank.study.readers import rank_images
from emorank.study.resolve import resolve
from emorank.study.run import STAGES, run
from emorank.study.stage import _LATER, key_of
from emorank.study.trained_network import trained_network

READY_BACKBONES = [name for name in BACKBONES if name != "vgg16"]


def small(folder, drawn, backbone, **train):
    """A study of the drawn faces on a ready backbone; no ImageNet weights."""
    votes = write_votes(folder / "votes.csv")
    changes = {
        "data.path": str(drawn),
        "data.crop": "none",
        "train.backbone": backbone,
        "train.views": 2,
        "model.weights": "imagenet",
        "validate.votes": str(votes),
        "validate.resamples": 100,
    }
    changes |= {f"train.{key}": value for key, value in train.items()}
    return create_study(folder / "study", resolve(override(Plan(), changes)))


@pytest.fixture(scope="module", params=READY_BACKBONES)
def trained(request, tmp_path_factory, drawn):
    """A study run to its end."""
    study = small(tmp_path_factory.mktemp("ready"), drawn, request.param)
    run(study)
    return study


def test_the_plan_says_what_the_backbone_sees(trained):
    """Size and width of the frame; the file of the classifier is small."""
    about = BACKBONES[trained.plan.train.backbone]
    assert (trained.plan.data.size, trained.plan.data.width) == (about.size, about.width)
    assert trained.path("model.safetensors").stat().st_size < 60_000
    assert len(trained.table("training")) == 1
    assert "\nFitted at once, validation accuracy" in model_card(trained)
    assert trained.table("training")["train_accuracy"][0] > 0.8


def test_the_model_that_is_read_again_says_the_same(trained):
    """By the study, from its file alone, and with the frame of its training."""
    network = trained_network(trained)
    faces = trained.table("predictions").merge(trained.table("faces"), on="image")
    framed = Framed(trained, faces)
    measured = Measured(network, [framed(row) for row in range(3)])
    columns = [f"p_{emotion}" for emotion in network.classes]
    stored = faces[columns].to_numpy()[:3]
    np.testing.assert_allclose(measured.table[columns].to_numpy(), stored, atol=1e-4)
    bare = load_network(trained.path("model.safetensors"))
    assert bare.labels == tuple(emotion.capitalize() for emotion in EMOTIONS)
    with torch.no_grad():
        np.testing.assert_allclose(bare.net(measured._images).numpy(), measured.logits, atol=1e-4)
    assert bare.normalisation == network.normalisation == READY["expression"].normalisation
    model = checkpoint.load(trained.path("model.safetensors"))
    assert (model.width, model.backbone) == (network.width, trained.plan.train.backbone)


def check_relevance(study):
    """What reaches the pixels, biases and stabilisers is the logit, also of layers used twice."""
    network = trained_network(study)
    framed = Framed(study, study.table("faces"))
    measured = Measured(network, [framed(0), framed(9)])
    for explainer in (network.explainer, network.heatmaps):
        record = explainer(measured._images, [0, 1])
        kept = record.pixels.sum((1, 2, 3)) + record.bias.sum(0) + record.stabiliser.sum(0)
        scale = float(record.sums.abs().max())
        np.testing.assert_allclose(kept, record.logits[[0, 1], [0, 1]], atol=1e-3 * scale)
    assert measured.heatmap.shape[1:] == (3, network.size, network.size)


def test_relevance_reaches_the_pixels_and_is_accounted_for(trained):
    """Under the plan's preset and that of heatmaps."""
    check_relevance(trained)


@pytest.mark.parametrize("backbone", READY_BACKBONES)
def test_the_last_block_is_trained_from_the_fitted_head_on(backbone, tmp_path, drawn):
    """The best epoch is none worse than the head; the block is in the file, and explained."""
    study = small(
        tmp_path, drawn, backbone, unfreeze="block4", epochs=3, learning_rate=1e-3, views=1
    )
    run(study, last="train")
    curves = study.table("training")
    assert list(curves["epoch"]) == [1, 2, 3, 4]
    assert curves["train_loss"].iloc[-1] < curves["train_loss"].iloc[0]
    model = checkpoint.load(study.path("model.safetensors"))
    cut, shipped = study.plan.train.cut, fresh(len(EMOTIONS), {}, study.plan.train)
    frozen, before = (net.features[:cut].state_dict() for net in (model.net, shipped))
    assert all(torch.equal(frozen[name], tensor) for name, tensor in before.items())
    faces = study.table("faces").merge(study.table("split"), on="image")
    validation = faces[faces["part"] == "validation"].reset_index(drop=True)
    (measured,) = measured_faces(study, trained_network(study), validation)
    right = np.array(model.classes)[measured.logits.argmax(1)] == validation["emotion"]
    best = curves.sort_values(["validation_accuracy", "validation_loss"], ascending=[False, True])
    assert right.mean() == pytest.approx(best["validation_accuracy"].iloc[0])
    block = shipped.features[cut:].state_dict(prefix="features.")
    found = load_network(study.path("model.safetensors")).net.state_dict()
    same = all(torch.equal(found[name], tensor) for name, tensor in block.items())
    assert same == (best["epoch"].iloc[0] == 1)
    check_relevance(study)
    assert study.path("model.safetensors").stat().st_size < 1_200_000


def test_a_file_with_an_unknown_block_is_refused(trained, tmp_path):
    """A header of a later version, or a forged one."""
    model = checkpoint.load(trained.path("model.safetensors"))
    path = tmp_path / "model.safetensors"
    words = {"classes": list(model.classes), "hidden": 0, "size": model.size, "crop": "none"}
    words |= {"backbone": model.backbone, "unfreeze": "block9"}
    tensors = model.net.classifier.state_dict()
    save_tensors(tensors, path, {checkpoint.FORMAT: json.dumps(words)})
    with pytest.raises(WeightsError, match="has no block 'block9'"):
        checkpoint.load(path)


def test_new_images_are_ranked_and_an_ordinal_network_is_trained(trained, drawn):
    """All that a study of VGG-16 can do."""
    rows = [face.row for face in rank_images(trained, [drawn / "happy/p0.png"], rank="evidence")]
    assert rows[0]["predicted"] in EMOTIONS
    train_ordinal(trained)
    (face,) = rank_images(open_study(trained.folder), [drawn / "happy/p0.png"], rank="ordinal")
    assert face.row["rank"] in ("None", "Minimal", "Average", "Strong")


def test_what_a_ready_backbone_cannot_do_is_refused():
    """Before any work, with the way out."""
    ready = {"train.backbone": "expression", "data.dataset": "sample"}
    for name, block, known in (("expression", 5, "block4"), ("vgg16", 4, "block5")):
        asked = ready | {"train.backbone": name, "train.unfreeze": f"block{block}"}
        with pytest.raises(PlanError, match=f"=block{block}: .* '{name}' has none and {known}"):
            resolve(override(Plan(), asked))
    with pytest.raises(PlanError, match="size=64: the backbone 'expression' sees 112 pixels"):
        resolve(override(Plan(), ready | {"data.size": 64}))
    with pytest.raises(PlanError, match=r"width=1\.1: .* 'expression' sees 1 usual crops"):
        resolve(override(Plan(), ready | {"data.width": 1.1}))
    with pytest.raises(PlanError, match=r"train.head=logistic: goes with the backbones expression"):
        resolve(override(Plan(), {"data.dataset": "sample", "train.head": "logistic"}))
    with pytest.raises(PlanError, match="cannot compute on 'abacus': expected cpu, cuda"):
        resolve(override(Plan(), {"data.dataset": "sample", "model.device": "abacus"}))
    with pytest.raises(PlanError, match=r"data.emotions: 'bored' names no emotion"):
        resolve(override(Plan(), ready | {"data.emotions": ["bored"]}))
    back = resolve(override(resolve(override(Plan(), ready)), {"train.backbone": "vgg16"}))
    assert (back.data.size, back.data.width) == (224, 1.0)


def test_a_study_may_change_its_backbone():
    """A complete plan holds the frame of the backbone before, which is no wish of anybody's."""
    both = {"train.backbone": "expression+identity", "data.dataset": "sample"}
    plan = resolve(override(Plan(), both))
    for name, size, width in (("expression", 112, 1.0), ("expression+identity", 150, 1.3)):
        plan = resolve(override(plan, {"train.backbone": name}))
        assert (plan.data.size, plan.data.width) == (size, width)


def test_studies_of_earlier_versions_stay_done(finished):
    """Settings that they did not know do not count where they are as they were."""
    study = open_study(finished)
    stages = [stage for stage in STAGES if stage.name in ("prepare", "train")]
    for name in _LATER:
        tables = [t for t in ("train", "data", "explain") if hasattr(getattr(study.plan, t), name)]
        assert len(tables) == 1
    assert study.stamp("train") == key_of(study, stages)


def test_the_first_features_of_every_backbone_are_those_of_the_shipped_network():
    """So its own classifier fits them, and a head can start from its answers."""
    image = torch.rand(1, 3, 112, 112)
    net = load_ready("expression")
    with torch.no_grad():
        expected = net.trunk(image, net.end).flatten(1)
        features, pooling = BACKBONES["expression"].layers()
        found = pooling(features(image)).flatten(1)
        torch.testing.assert_close(found, expected)
        features, _ = BACKBONES["expression+identity"].layers()
        wide = torch.rand(1, 3, 150, 150)
        found = features(wide)[:, :256]
        torch.testing.assert_close(
            found, net.trunk(wide[:, :, 19:131, 19:131], net.end).flatten(1), atol=1e-4, rtol=1e-3
        )


def test_one_place_has_no_regions(trained):
    """Features that end in one place cannot say where in the face the evidence lies."""
    network = trained_network(trained)
    framed = Framed(trained, trained.table("faces").head(2))
    assert list(Measured(network, [framed(0), framed(1)]).evidence) == ["net", "mass", "balance"]
