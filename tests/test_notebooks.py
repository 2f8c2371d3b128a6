"""The notebooks of the documentation run from the installed wheel, and hold what they gave."""

import json
import re
from pathlib import Path

import nbformat
import pytest
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parent.parent / "docs" / "notebooks").glob("*.ipynb"))
IDS = [notebook.stem for notebook in NOTEBOOKS]
MOST = 500_000
"""Bytes of a notebook with all that it shows: a repository keeps every version of it."""


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=IDS)
def test_a_notebook_runs(notebook, python, tmp_path):
    """Every cell, in a folder that has nothing else in it."""
    specification = tmp_path / "kernels" / "fresh"
    specification.mkdir(parents=True)
    words = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    environment = {"PYTHONPATH": "", "OMP_NUM_THREADS": "1"}
    described = {"argv": words, "display_name": "fresh", "language": "python", "env": environment}
    (specification / "kernel.json").write_text(json.dumps(described))
    manager = AsyncKernelManager(
        kernel_name="fresh",
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(specification.parent)]),
    )
    (tmp_path / "empty").mkdir()
    cells = nbformat.read(notebook, as_version=4)
    cells.cells.append(nbformat.v4.new_code_cell("import emorank; print(emorank.__file__)"))
    place = {"metadata": {"path": str(tmp_path / "empty")}}
    NotebookClient(cells, km=manager, timeout=200, resources=place).execute()
    assert "site-packages" in cells.cells[-1].outputs[0].text


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=IDS)
def test_a_notebook_holds_what_it_gave(notebook):
    """All cells were run in order, none failed, and nothing of the machine is left in it."""
    cells = [
        cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"
    ]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    kinds = {output.output_type for cell in cells for output in cell.outputs}
    assert kinds & {"execute_result", "display_data"}
    assert "error" not in kinds
    text = notebook.read_text(encoding="utf-8")
    assert not re.search(r"site-packages|/(tmp|home|root|Users)/", text)
    assert len(text.encode()) < MOST
