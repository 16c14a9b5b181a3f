"""Figures embedded in the HTML report as base64 PNG."""

from __future__ import annotations

import base64
import html
import io
from pathlib import Path
from typing import TYPE_CHECKING

from gansweep.plot_style import STYLE, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHARP = 160  # dpi of the embedded image; it is displayed at `savefig.dpi`, so that it stays sharp when zoomed


def figure(drawn: Figure, caption: str) -> str:
    """Return an HTML figure with its caption."""
    content = io.BytesIO()
    with styled():
        drawn.savefig(content, format="png", dpi=SHARP)
    wide, high = (round(inches * STYLE["savefig.dpi"]) for inches in drawn.get_size_inches())
    alt = html.escape(f"Figure: {caption}. The values are in the tables.", quote=True)
    size = f'width="{wide}" height="{high}" style="--high: {high}px"'
    image = f'<img loading="lazy" {size} alt="{alt}" src="{_data(content.getvalue())}">'
    label = html.escape(caption, quote=True)
    image = f'<div class="scroll" role="region" tabindex="0" aria-label="{label}">{image}</div>'
    return f"<figure>{image}<figcaption>{html.escape(caption)}</figcaption></figure>"


def png(path: Path, alt: str) -> str:
    """Return an HTML image with the content of a PNG file."""
    return f'<img loading="lazy" alt="{html.escape(alt, quote=True)}" src="{_data(path.read_bytes())}">'


def _data(content: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"
