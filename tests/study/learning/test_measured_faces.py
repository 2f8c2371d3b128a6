"""The scale of the contrast: learnt with the network, kept in its file, taken over with it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from tests.conftest import draw

from emorank.errors import StudyError
from emorank.networks import checkpoint
from emorank.reading.measured import Measured
from emorank.study.folder import create_study, open_study
from emorank.study.framed_faces import Framed
from emorank.study.learning.measured_faces import temperature_of
from emorank.study.other_network import plan_for_network
from emorank.study.plan import Plan, override
from emorank.study.readers import reader_of
from emorank.study.resolve import resolve
from emorank.study.run import run
from emorank.study.train_network import contrast_temperature
from emorank.study.trained_network import MODEL, trained_network

WORDS = {"neutral": "anger", "happy": "happy", "surprise": "surprise"}  # name: what is drawn


@pytest.fixture
def trained(tmp_path):
    """A study of eight drawn persons that knows neutral, on the shipped network."""
    for name, drawn in WORDS.items():
        (tmp_path / "faces" / name).mkdir(parents=True)
        for person in range(8):
            draw(drawn, person).save(tmp_path / "faces" / name / f"p{person}.png")
    return made(
        tmp_path / "study",
        Plan(),
        tmp_path,
        {"train.backbone": "expression", "split.validation": 0.4},
    )


def made(out, plan, folder, changes):
    """A study of the drawn faces, trained."""
    changes = {"data.path": str(folder / "faces"), "data.crop": "none"} | changes
    study = create_study(out, resolve(override(plan, changes)))
    run(study, last="train")
    return study


def without_temperature(study):
    """The study with a network of an earlier version."""
    model = checkpoint.load(study.path(MODEL))
    checkpoint.save(replace(model, temperature=None), study.path(MODEL))
    return study


def validation_part(study):
    """The faces that the temperature is learnt from."""
    faces = study.table("faces").merge(study.table("split"), on="image")
    return faces[faces["part"] == "validation"].reset_index(drop=True)


def heated(network, times):
    """The network with logits so many times as far apart, in place."""
    with torch.no_grad():
        for part in network.net.classifier[0].parameters():
            part.mul_(times)
    return network


def test_it_is_learnt_from_the_validation_part(trained):
    """Strong begins three quarters of the way between the medians of the contrasts there."""
    faces, network = validation_part(trained), trained_network(trained)
    framed, place = Framed(trained, faces), list(network.classes).index
    pixels = [framed(row) for row in range(len(faces))]
    for times in (1, 8):
        logits = Measured(heated(network, times), pixels).logits
        contrast = logits - logits[:, [place("neutral")]]
        neutral = contrast[faces["emotion"] == "neutral"][:, [place("happy"), place("surprise")]]
        shown = np.flatnonzero(faces["emotion"] != "neutral")
        full = [contrast[row, place(faces["emotion"][row])] for row in shown]
        low, high = np.median(neutral), np.median(full)
        strong = min(max(low / 4 + high * 3 / 4, np.log(49)), high)
        found = contrast_temperature(trained, network.net, network.classes, faces)
        assert found == pytest.approx(strong / np.log(49), rel=1e-2)
        if times == 1:
            assert network.temperature == found
    assert found > 1
    said = reader_of(trained, ["contrast"]).levels(pixels)
    learnt = trained_network(trained).temperature
    np.testing.assert_allclose(said["log_odds"] * learnt, said["score"], rtol=1e-6)


def test_the_last_frame_of_a_sequence_is_its_full_expression(trained):
    """Weaker frames before it do not count."""
    faces, network = validation_part(trained), heated(trained_network(trained), 8)

    def found(table):
        return contrast_temperature(trained, network.net, network.classes, table)

    weak = pd.concat([faces[faces["emotion"] == "neutral"].assign(emotion="happy")] * 2)
    weak = weak.assign(sequence="smile", frame=1)
    neutral, surprise, happy = (
        faces[faces["emotion"] == word].assign(sequence=sequence, frame=2)
        for word, sequence in (("neutral", pd.NA), ("surprise", "gape"), ("happy", "smile"))
    )
    full = pd.concat([neutral, surprise, happy], ignore_index=True)
    both = pd.concat([full, weak], ignore_index=True)
    assert found(both) == found(full) == found(faces)
    assert found(both.assign(sequence=pd.NA)) != found(full)


def test_another_study_takes_it_over(trained, tmp_path):
    """With the network's file; and of an earlier version it is asked of the study that trained."""
    other = made(tmp_path / "other", plan_for_network(trained.folder), tmp_path, {})
    learnt = trained_network(trained).temperature
    assert trained_network(other).temperature == learnt
    network = trained_network(without_temperature(other))
    assert network.temperature is None
    assert temperature_of(other, network) == pytest.approx(learnt)
    assert temperature_of(trained, network) == pytest.approx(learnt)
    trained.folder.rename(tmp_path / "moved")
    with pytest.raises(StudyError, match="no study here"):
        temperature_of(open_study(other.folder), network)


def test_a_network_that_knows_no_neutral_has_the_temperature_1(trained):
    """There is nothing to contrast with; nor without faces."""
    network, faces = trained_network(trained), trained.table("faces")
    assert contrast_temperature(trained, network.net, network.classes[:2], faces) == 1.0
    assert contrast_temperature(trained, network.net, network.classes, faces[:0]) == 1.0
