"""Notebooks that have been run, as Markdown pages: text, code, and what it gave."""

import json
import re
from pathlib import Path


def as_markdown(notebook: Path) -> str:
    """One notebook as a page, with a link to the notebook itself below the title."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    parts = []
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
        elif cell["cell_type"] == "code" and source:
            parts.append(f"```python\n{source}\n```")
            parts += [shown(output) for output in cell["outputs"]]
    title, *rest = "\n\n".join(part for part in parts if part).split("\n", 1)
    note = f"*A notebook: [{notebook.name}]({notebook.name}), with what it gave when it was run.*"
    return "\n".join([title, "", note, *rest, ""])


def shown(output: dict) -> str:
    """One output: HTML, a picture or text, the first of these that there is."""
    data = output.get("data", {})
    if "text/html" in data:
        return re.sub(r"\n\s*\n", "\n", "".join(data["text/html"]).strip())
    if "image/png" in data:
        encoded = "".join(data["image/png"]).replace("\n", "")
        return f'<img alt="The figure that the code draws" src="data:image/png;base64,{encoded}">'
    words = "".join(output.get("text") or data.get("text/plain", ""))
    return f"```text\n{words.rstrip()}\n```" if words.strip() else ""
