"""Copies every page of the site into one folder, with links that hold there."""

import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

from docs.site.command_line import verb_pages
from docs.site.names import reference
from docs.site.notebooks import as_markdown
from docs.site.terms import explain

import emorank

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
NAVIGATION = HERE / "navigation.toml"
LINK = re.compile(r"(?P<before>!?\[(?:[^\]`]|`[^`]*`)*\]\()(?P<target>[^)\s]+)(?P<after>\))")
PICTURE = re.compile(r'(?P<before><img [^>]*?src=")(?P<target>[^"]+)(?P<after>")')
CODE = re.compile(r"(^ *```.*?^ *```\s*?$|`[^`\n]+`(?!\]))", re.DOTALL | re.MULTILINE)
NAME = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)
PUBLIC = re.compile(r"`emorank\.(\w+)(?:\([^`\n]*\))?`")
# Pages that do not lie in docs/, and their names in the site. README.md is what a forge shows; the
# site has a front page of its own.
ELSEWHERE = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "CODE_OF_CONDUCT.md": "code_of_conduct.md",
    "RELEASING.md": "releasing.md",
    "benchmarks/README.md": "benchmarks.md",
    "src/emorank/networks/ready/MODEL_CARD.md": "model_card.md",
}


def sections() -> list[tuple[str, list[str]]]:
    """The navigation: the title of each section and the pages in it, without their endings."""
    table = tomllib.loads(NAVIGATION.read_text(encoding="utf-8"))
    found = [(section["title"], section["pages"]) for section in table["section"]]
    listed = {"index", *(name for _, names in found for name in names)}
    others = [name.removesuffix(".md") for name in pages().values()]
    others = [name for name in others if name not in listed]
    return [*found, ("Further pages", others)] if others else found


def pages() -> dict[Path, str]:
    """Every file that becomes a page, and the name of that page."""
    found = {file: file.name for file in sorted((ROOT / "docs").glob("*.md"))}
    found |= {file: f"{file.stem}.md" for file in sorted((ROOT / "docs/notebooks").glob("*.ipynb"))}
    found |= {ROOT / file: name for file, name in ELSEWHERE.items() if (ROOT / file).exists()}
    return found


def stage(folder: Path) -> None:
    """Write all pages, those that the program makes among them, into a new folder."""
    folder.mkdir(parents=True)
    names = pages()
    for file, name in names.items():
        notebook = file.suffix == ".ipynb"
        text = as_markdown(file) if notebook else file.read_text(encoding="utf-8")
        text = relink(text, file, names | {ROOT / "README.md": "index.md"}, folder)
        if name == "api.md":
            text = NAME.sub(lambda row: f"| [`{row[1]}`](reference.md#{row[1].lower()}) |", text)
        text = explain(text, name)
        if name == "index.md":
            text += "\n".join(trees())
        (folder / name).write_text(text, encoding="utf-8")
    for name, text in verb_pages():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "reference.md").write_text(reference(), encoding="utf-8")


def trees() -> Iterator[str]:
    """The navigation as Sphinx reads it, below the text of the front page."""
    for title, names in sections():
        yield f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n" + "\n".join(names) + "\n```\n"


def relink(text: str, file: Path, names: dict[Path, str], folder: Path) -> str:
    """Let the relative links of a page lead to pages of the site, or to copies of other files.

    Raises:
        ValueError: a link leads to no file of the project.
    """

    def moved(link: re.Match[str]) -> str:
        target, mark, anchor = link["target"].partition("#")
        if not target or re.match(r"[a-z]+:", target):
            return link[0]
        aim = (file.parent / target).resolve()
        if aim.is_dir():
            aim = aim / "README.md"
        if aim not in names:
            if not aim.is_file() or not aim.is_relative_to(ROOT):
                raise ValueError(f"{file.relative_to(ROOT)}: {target} leads nowhere")
            inside = Path("files") / aim.relative_to(ROOT)
            (folder / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(aim, folder / inside)
            scheme = "path:" if aim.suffix == ".md" else ""  # else Sphinx looks for a page
            return f"{link['before']}{scheme}{inside}{link['after']}"
        return f"{link['before']}{names[aim]}{mark}{anchor}{link['after']}"

    parts = CODE.split(text)
    parts[1::2] = [
        named(code, before, end)
        for before, code, end in zip(parts[::2], parts[1::2], parts[2::2], strict=False)
    ]
    parts[::2] = [PICTURE.sub(moved, LINK.sub(moved, part)) for part in parts[::2]]
    return "".join(parts)


def named(code: str, before: str, after: str) -> str:
    """The code of a public name in a sentence, as a link to what the reference says of it."""
    match = PUBLIC.fullmatch(code)
    line = before.rpartition("\n")[2]
    linked = line.rfind("[") > line.rfind("]") and "](" in after.partition("\n")[0]
    if match is None or match[1] not in emorank.__all__ or linked or line.startswith("#"):
        return code
    return f"[{code}](reference.md#{match[1].lower()})"
