"""The engine on its own: PyTorch and NumPy, and nothing of the rest."""

import subprocess
import sys

CODE = """
import sys, time
start = time.process_time()
import torch, numpy
torchs = time.process_time() - start
before = set(sys.modules)
start = time.process_time()
import emorank.relevance
own = time.process_time() - start
print(own / torchs)
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
print(*sorted(name for name in sys.modules if name.startswith("emorank.")))
"""


def test_the_engine_brings_torch_and_numpy_and_nothing_to_draw_or_serve_with():
    """Not pandas, SciPy, matplotlib, FastAPI, captum; jaxtyping writes down shapes.

    In processor time of one process it is a small part of what torch itself takes.
    """
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    ratio, others, own = done.stdout.splitlines()
    assert (
        set(others.split()) <= {"emorank", "jaxtyping", "numpy", "torch"} | sys.stdlib_module_names
    )
    assert float(ratio) < 0.5
    folders = {name.split(".")[1] for name in own.split()}
    assert folders == {"errors", "networks", "printable", "relevance"}
    assert {name for name in own.split() if name.startswith("emorank.networks.")} == {
        "emorank.networks.devices"
    }


READING = """
import sys
from torch import nn
from emorank.relevance import prepare
prepare(nn.Sequential(nn.Flatten(), nn.Linear(3, 2)))
print(*sorted({"sympy", "torch._dynamo", "torch._inductor"} & set(sys.modules)))
"""


def test_reading_a_net_imports_no_compiler():
    """It would take 85 MiB and seconds."""
    command = [sys.executable, "-c", READING]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not done.stdout.strip()
