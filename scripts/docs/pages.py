"""MkDocs hooks: generated pages for the files at the top, the notebook, and each package."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
AT_THE_TOP = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
NOTEBOOK = "tutorial"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Build the navigation from all files in docs/."""
    docs = ROOT / "docs"
    howto = [path.relative_to(docs).as_posix() for path in sorted(docs.glob("howto/*.md"))]
    others = [path.name for path in sorted(docs.glob("*.md")) if path.name != "gallery.md"]
    records = [path.relative_to(docs).as_posix() for path in sorted(docs.glob("records/**/*.md"))]
    config.nav = [
        {"gansweep": "index.md"},
        {"Gallery": "gallery.md"},
        {"Tutorial": f"{NOTEBOOK}.md"},
        {"How to": howto},
        {"More on": others},
        {"Reference": [{name: f"api/{name}.md"} for name in reference()]},
        {"Measurements": records},
        {"Contributing": "contributing.md"},
        {"Changes": "changelog.md"},
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add pages for files outside docs/."""
    made = {page: from_the_top((ROOT / source).read_text()) for source, page in AT_THE_TOP.items()}
    made[f"{NOTEBOOK}.md"] = notebook(json.loads((ROOT / "docs" / f"{NOTEBOOK}.ipynb").read_text()))
    made |= {f"api/{name}.md": f"# gansweep.{name}\n\n::: gansweep.{name}\n" for name in reference()}
    for page, content in made.items():
        files.append(File.generated(config, page, content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return the text of a page without its links to source files, which are not part of the site."""
    return re.sub(r"\[([^\]]+)\]\((?:\.\./)+(?:conf|scripts|src|tests|README)[^)]*\)", r"\1", markdown)


def from_the_top(text: str) -> str:
    """Rewrite links relative to the top of the checkout as links relative to docs/."""
    text = re.sub(r"\[([^\]]+)\]\(docs/\w+/?\)", r"\1", text)  # folders are not pages
    text = text.replace("](docs/", "](")
    for source, page in AT_THE_TOP.items():
        text = text.replace(f"]({source}", f"]({page}")
    # Files that are not part of the site are named without a link.
    return re.sub(r"\[([^\]]+)\]\((?:conf|scripts|src|tests|LICENSE|CITATION\.cff)[^)]*\)", r"\1", text)


def reference() -> list[str]:
    """Return the names of all modules and packages of gansweep, modules first."""
    source = ROOT / "src" / "gansweep"
    modules = [path.stem for path in sorted(source.glob("*.py")) if not path.stem.startswith("__")]
    return modules + [path.parent.name for path in sorted(source.glob("*/__init__.py"))]


def notebook(cells: dict[str, Any]) -> str:
    """Return a notebook as Markdown, with the output and figures of its cells."""
    parts = []
    for cell in cells["cells"]:
        text = "".join(cell["source"])
        parts.append(text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```")
        for output in cell.get("outputs", []):
            data = output.get("data", {"text/plain": output.get("text", "")})
            if "image/png" in data:
                parts.append(f"![figure](data:image/png;base64,{data['image/png'].strip()})")
            else:
                parts.append(f"```text\n{''.join(data['text/plain']).rstrip()}\n```")
    return "\n\n".join(parts) + f"\n\nThis page is generated from [the notebook]({NOTEBOOK}.ipynb).\n"
