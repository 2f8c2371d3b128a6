"""The question of `emorank rank`: the emotion of each face, and how strong it is."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from emorank.framing import View
from emorank.networks.devices import device_of
from emorank.scale.task import Answer, Ready, Row, Task
from emorank.study.answer_store import RankStates
from emorank.study.readers import check_levels, reader_of

if TYPE_CHECKING:
    from emorank.reading.reader import Reader
    from emorank.study.folder import Study


def ask_ranks(
    study: "Study | None" = None,
    ranks: tuple[str, ...] = (),
    emotion: str | None = None,
    *,
    crop: str | None = None,
    nearest: bool = False,
    strict: bool = False,
    compounds: bool = False,
    device: str | None = None,
    crops: int = 1,
) -> Task:
    """The task; arguments are those of `rank_many`.

    Raises:
        PlanError: there is no such device.
    """
    place = device_named(study, device)
    kind = place.partition(":")[0]  # which of several GPUs makes no difference
    options = [crop, nearest, compounds, emotion]
    options += [kind] if kind != "cpu" else []
    options += [f"{crops} crops"] if crops > 1 else []
    state = RankStates(study).of("".join(ranks[:1]), list(ranks), *options)
    make = partial(_ready, study, ranks, emotion, crop, nearest, compounds, device, crops)
    return Task(make, state, place, strict)


def opened(study: "Study | Path | str | None") -> "Study | None":
    """A study of which the folder may be given.

    Raises:
        StudyError: it is no folder of a study.
    """
    from emorank.study.folder import open_study

    return open_study(Path(study)) if isinstance(study, Path | str) else study


def device_named(study: "Study | None", device: str | None) -> str:
    """Where to compute: what is asked for, what the plan of the study says, or the CPU.

    Raises:
        PlanError: there is no such device.
    """
    return str(device_of(device or (study.plan.model.device if study else "cpu")))


def _ready(
    study: "Study | None",
    ranks: Sequence[str],
    emotion: str | None,
    crop: str | None,
    nearest: bool,
    compounds: bool,
    device: str | None,
    crops: int,
) -> Ready:
    check_levels(ranks)
    reader = reader_of(study, ranks, emotion, device=device, crops=crops)
    views = reader.views([], crop=crop, nearest=nearest)
    return Ready(views, reader.batch, partial(_answers, reader, study if compounds else None))


def _answers(reader: "Reader", study: "Study | None", views: list[View]) -> list[Answer]:
    faces = list(reader.rank(views))
    if study is not None:
        from emorank.study.verbs.add_compounds import add_compounds

        faces = list(add_compounds(study, faces))
    return [Answer([Row(face.row)]) for face in faces]
