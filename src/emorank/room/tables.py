"""The tables of a project beside its answers, by the names that their exports have."""

import pandas as pd

from emorank.room.consent import consents
from emorank.room.demographics import demographics
from emorank.room.displays import displays
from emorank.room.open_link import participants
from emorank.room.overview import log
from emorank.room.project import Project
from emorank.room.protocol import protocol_of
from emorank.room.trials import trials_table

_TABLES = {
    "log": log,
    "displays": displays,
    "trials": trials_table,
    "consents": consents,
    "participants": participants,
}
NAMES = (*_TABLES, "demographics")


def table_beside(project: Project, name: str) -> pd.DataFrame:
    """The rows of one of `NAMES`."""
    if name == "demographics":
        return demographics(project, protocol_of(project).demographics)
    return _TABLES[name](project)
