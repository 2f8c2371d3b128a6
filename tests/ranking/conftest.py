"""What the tests of ranking share."""

import sys
from pathlib import Path

# The oracles of tests/reference are imported as `reference.…`.
sys.path.insert(0, str(Path(__file__).parents[1]))
