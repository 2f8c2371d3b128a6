"""The notebooks of the documentation run from the installed wheel, and hold what they give."""

import base64
import io
import json
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from PIL import Image

NOTEBOOKS = sorted((Path(__file__).parent.parent / "docs" / "notebooks").glob("*.ipynb"))
IDS = [notebook.stem for notebook in NOTEBOOKS]
MOST = 500_000
"""Bytes of a notebook with all that it shows: a repository keeps every version of it."""
NUMBER = re.compile(r"[-−]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
EMBEDDED = re.compile(r"data:image/\w+;base64,([^\"']+)")


def words_of(cell) -> list[str]:
    """What a cell printed and the tables that it showed; of a figure the picture alone counts."""
    shown = []
    for output in cell.outputs:
        data = output.get("data", {})
        text = "" if "image/png" in data else data.get("text/html") or data.get("text/plain", "")
        shown.append(EMBEDDED.sub("", output.get("text") or text))
    return shown


def pictures_of(cell) -> list[np.ndarray]:
    """The pictures of a cell, also those within HTML: grey, 32 pixels a side, float64 (32, 32)."""
    encoded = []
    for output in cell.outputs:
        data = output.get("data", {})
        encoded += [data["image/png"]] if "image/png" in data else []
        encoded += EMBEDDED.findall(data.get("text/html", ""))
    pictures = []
    for one in encoded:
        with Image.open(io.BytesIO(base64.b64decode(one))) as picture:
            white = Image.new("RGBA", picture.size, "white")
            flat = Image.alpha_composite(white, picture.convert("RGBA")).convert("L")
            pictures.append(np.asarray(flat.resize((32, 32), Image.Resampling.BOX), float))
    return pictures


def compare(before, now) -> None:
    """What a cell holds and what it gives now: words alike, numbers and pictures nearly so."""
    assert len(before.outputs) == len(now.outputs)
    for old, new in zip(words_of(before), words_of(now), strict=True):
        assert NUMBER.split(old) == NUMBER.split(new)
        for was, is_now in zip(NUMBER.findall(old), NUMBER.findall(new), strict=True):
            if was.isdecimal():
                assert was == is_now, (old, new)
            else:
                was, is_now = (float(text.replace("−", "-")) for text in (was, is_now))
                assert is_now == pytest.approx(was, rel=0.05, abs=0.02), (old, new)
    for old, new in zip(pictures_of(before), pictures_of(now), strict=True):
        assert np.abs(old - new).mean() < 3


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=IDS)
def test_a_notebook_runs(notebook, python, tmp_path):
    """Every cell, in a folder that has nothing else in it, and gives what the notebook holds."""
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
    held = nbformat.read(notebook, as_version=4).cells
    for before, now in zip(held, cells.cells[:-1], strict=True):
        if before.cell_type == "code":
            compare(before, now)


def test_what_has_changed_is_told():
    """Another word, count, number or picture in the place of what a notebook holds."""

    def cell(text, shade=100, size=2):
        file = io.BytesIO()
        Image.fromarray(np.full((9, 9), shade, np.uint8)).save(file, "PNG")
        png = base64.b64encode(file.getvalue()).decode()
        outputs = [nbformat.v4.new_output("stream", text=text)]
        outputs += [nbformat.v4.new_output("display_data", {"image/png": png})] * (size - 1)
        return nbformat.v4.new_code_cell(outputs=outputs)

    held = cell("happy 0.74 of 56")
    compare(held, cell("happy 0.75 of 56", shade=102))
    for now in (
        *(cell("sadness 0.74 of 56"), cell("happy 0.74 of 57"), cell("happy 0.80 of 56")),
        *(cell("happy 0.74 of 56", shade=110), cell("happy 0.74 of 56", size=1)),
    ):
        with pytest.raises(AssertionError):
            compare(held, now)


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
