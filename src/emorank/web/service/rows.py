"""The row of a face as JSON has it."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row (`RankedFace.row`) in JSON's own types; a number that is not finite is null."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
