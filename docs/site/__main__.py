"""Builds the site: `python -m docs.site [FOLDER]`. Nothing is fetched; open FOLDER/index.html."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from docs.site.accessible import mend
from docs.site.links import external, faults
from docs.site.staging import ROOT, stage

HERE = Path(__file__).parent


def build(out: Path) -> None:
    """Write the site into `out`, which is replaced, and the list of links to other hosts.

    Raises:
        ValueError: a page is in no section, a link leads nowhere, a file comes from another host.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder) / "pages", Path(folder) / "site"
        stage(source)
        command = [sys.executable, "-m", "sphinx", "--builder", "html", "--quiet"]
        command += ["--fail-on-warning", "--keep-going", "--conf-dir", str(HERE)]
        command += ["--doctree-dir", str(Path(folder) / "kept"), str(source), str(made)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ValueError(done.stderr)
        mend(made)
        wrong = faults(made)
        if wrong:
            raise ValueError("\n".join(wrong))
        (made / ".buildinfo").unlink(missing_ok=True)
        lines = [f"{link}\t{', '.join(pages)}\n" for link, pages in external(made).items()]
        (made / "external_links.tsv").write_text("".join(lines), encoding="utf-8")
        shutil.rmtree(out, ignore_errors=True)
        shutil.move(made, out)


if __name__ == "__main__":
    site = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "site"
    try:
        build(site)
    except ValueError as error:
        sys.exit(str(error))
    sys.stdout.write(f"The site: {site.resolve() / 'index.html'}\n")
