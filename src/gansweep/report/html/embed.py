"""Pictures inside the page."""

from __future__ import annotations

import base64
import html
import io
from pathlib import Path
from typing import TYPE_CHECKING

from gansweep.plot_style import STYLE, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHARP = 160  # dots per inch, of which a screen shows `savefig.dpi`


def figure(drawn: Figure, caption: str) -> str:
    """Write a figure with its caption."""
    content = io.BytesIO()
    with styled():
        drawn.savefig(content, format="png", dpi=SHARP)
    wide, high = (round(inches * STYLE["savefig.dpi"]) for inches in drawn.get_size_inches())
    alt = html.escape(f"Picture: {caption}. Its numbers are in the tables.", quote=True)
    size = f'width="{wide}" height="{high}" style="--high: {high}px"'
    image = f'<img loading="lazy" {size} alt="{alt}" src="{_data(content.getvalue())}">'
    label = html.escape(caption, quote=True)
    image = f'<div class="scroll" role="region" tabindex="0" aria-label="{label}">{image}</div>'
    return f"<figure>{image}<figcaption>{html.escape(caption)}</figcaption></figure>"


def png(path: Path, alt: str) -> str:
    """Write the picture in a file."""
    return f'<img loading="lazy" alt="{html.escape(alt, quote=True)}" src="{_data(path.read_bytes())}">'


def _data(content: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"
