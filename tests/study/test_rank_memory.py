"""Ranking needs no more memory for a thousand relevance maps than for a hundred."""

import subprocess
import sys
from pathlib import Path

import pytest

# In a process of its own, because the peak is that of a whole process. The store is one file with
# a hole in it and a few real values, made at once.
SCRIPT = """
import sys
from pathlib import Path
import numpy as np, pandas as pd
from emorank.study.relevance_maps import stores
from emorank.study.folder import create_study
from emorank.study.plan import Plan, override
from emorank.study.stages.rank import rank_by_paper

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

for count in (100, 1000):
    plan = override(Plan(), {"data.path": "/none", "data.size": 112})
    study = create_study(Path(sys.argv[1]) / str(count), plan)
    names = [f"i{i}" for i in range(count)]
    study.write_table("predictions", pd.DataFrame({"image": names, "predicted": "happy"}))
    study.write_table("faces", pd.DataFrame({"image": names, "digest": names}))
    maps = stores(study)[0]
    maps.folder.mkdir(parents=True)
    (maps.folder / "keys").write_text("".join(f"{name}\\n" for name in names))
    with (maps.folder / "data").open("wb") as data:
        data.truncate(count * maps.size)
        for i in range(count):
            data.seek(i * maps.size)
            data.write(np.float32([-1, 1]).tobytes())
    assert len(rank_by_paper(study)) == count
    print(count, peak())
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
def test_a_thousand_maps_need_no_more_than_a_hundred(tmp_path):
    """150 MB of maps pass through; the peak grows by less than 30."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    hundred, thousand = (float(line.split()[1]) for line in done.stdout.splitlines())
    assert 0 <= thousand - hundred < 30
