"""Self-contained HTML page of a report."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

from gansweep.report import portraits, scatter
from gansweep.report.html import embed, facts
from gansweep.report.html.contents import contents, mark
from gansweep.report.html.prose import inline, prose
from gansweep.report.html.runs import link, runs
from gansweep.report.html.tables import table
from gansweep.report.pictures.samples import sampled
from gansweep.report.pivot import pivot, ranks
from gansweep.report.sections import names
from gansweep.report.study import Study
from gansweep.report.verdict import Verdict
from gansweep.section import Section
from gansweep.sweep.metric_groups import differences

HERE = Path(__file__).parent
MOST_SAMPLES, OPEN_SAMPLES = 36, 8


def page(
    study: Study,
    verdicts: Sequence[Verdict],
    sections: Sequence[Section],
    folder: Path,
    rows: Sequence[str] = (),
    across: str | None = None,
) -> str:
    """Return a page without external files: styles, script and figures are embedded.

    Args:
        study: the sweep.
        verdicts: one per table.
        sections: the sections below the tables.
        folder: folder of the page; links to runs are relative to it.
        rows: settings of the table rows.
        across: setting of the table columns.
    """
    parts = {"Question": "".join(f"<p>{inline(text)}</p>" for text in facts.question(study))}
    parts["Question"] += f"<p>{html.escape(facts.plan(study))}</p>"
    parts["Tables"] = _tables(verdicts, rows, across)
    for section in sections:
        parts[section.title] = parts.get(section.title, "") + _section(section)
    samples = "".join(_samples(verdict, folder) for verdict in verdicts)
    if samples:
        parts["Samples, the best first"] = samples
    parts["Runs"] = f"<details><summary>All {len(study.results)} runs</summary>{runs(study, folder)}</details>"
    parts["How to reproduce"] = _repeat(study, verdicts)
    title = html.escape(f"{study.directory.resolve().name}: gansweep report")
    items = {name: f"part-{number}" for number, name in enumerate(parts, 1)}
    body = "\n".join(
        f'<section aria-labelledby="{items[name]}"><h2 id="{items[name]}">{html.escape(name)}</h2>\n{text}\n</section>'
        for name, text in parts.items()
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
{(HERE / "page.css").read_text(encoding="utf-8")}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<h1>{html.escape(study.directory.resolve().name)}</h1>
{contents(items, names(verdicts))}
</header>
<main id="main">
{body}
</main>
<footer>Written by <code>python -m gansweep.report</code> from the files of the runs.</footer>
<script>
{(HERE / "page.js").read_text(encoding="utf-8")}</script>
</body>
</html>
"""


def _tables(verdicts: Sequence[Verdict], rows: Sequence[str], across: str | None) -> str:
    parts = []
    if len(verdicts) > 1:
        parts.append(prose(differences([verdict.contest.results for verdict in verdicts]), table))
    for number, (name, verdict) in enumerate(zip(names(verdicts), verdicts, strict=True), 1):
        which = f"table {number}" if len(verdicts) > 1 else "the table"
        if len(verdicts) > 1:
            parts.append(f'<h3 id="{mark(number)}">{html.escape(name[:1].upper() + name[1:])}</h3>')
        parts.append(table(pivot(verdict, rows, across), f"{which} of {verdict.contest.metric_name}"))
        if len(verdict.order) > 1:
            parts.append(table(ranks(verdict), f"ranks of {which}"))
    return "\n".join(parts)


def _section(section: Section) -> str:
    figures = []
    for caption, draw in section.pictures.items():
        try:
            figures.append(embed.figure(draw(), caption))
        except ValueError as error:  # matplotlib is missing; the message names the extra to install
            figures.append(f"<p>{html.escape(f'{caption}: {error}')}</p>")
    return prose(_without_ranks(section.text), table) + "\n" + "\n".join(figures)


def _without_ranks(text: str) -> str:
    """Return the text without the ranking table, which the page shows above in full."""
    blocks = text.split("\n\n")
    cut = next((n for n, block in enumerate(blocks) if block.startswith("| rank ")), None)
    return text if cut is None else "\n\n".join(blocks[:cut])


def _samples(verdict: Verdict, folder: Path) -> str:
    found = sampled(verdict)
    if not found or scatter.in_plane(verdict) or portraits.of_two_numbers(verdict):  # drawn in another section
        return ""
    metric, over = verdict.contest.metric_name, "/".join(verdict.contest.repeated)
    items = []
    for one in found[:MOST_SAMPLES]:
        seed = f", {over} {one.seed}" if len(one.candidate.runs) > 1 else ""
        words = f"{one.place} {metric} {one.words}{seed}: {one.candidate.name}"
        image = embed.png(one.path, f"Samples of {one.place} {one.candidate.name}")
        address = link(one.path, folder)
        items.append(
            f'<li><figure><a href="{address}">{image}</a><figcaption>{html.escape(words)}</figcaption></figure></li>'
        )
    several = any(len(sample.candidate.runs) > 1 for sample in found)
    intro = "<p>Each image is from the run with the median value.</p>" if several else ""
    text = f'{intro}<ul class="samples">{"".join(items[:OPEN_SAMPLES])}</ul>'
    if len(items) > OPEN_SAMPLES:
        more = "".join(items[OPEN_SAMPLES:])
        text += f'<details><summary>{len(items) - OPEN_SAMPLES} more</summary><ul class="samples">{more}</ul></details>'
    if len(found) > MOST_SAMPLES:
        text += f"<p>{len(found) - MOST_SAMPLES} more are in the run directories.</p>"
    return text


def _repeat(study: Study, verdicts: Sequence[Verdict]) -> str:
    commands = html.escape("\n".join(study.commands)) or "unknown"
    facts_ = "".join(
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd>" for name, text in facts.environment(study).items()
    )
    prints = "".join(
        f"<details><summary>Fingerprint of {html.escape(verdict.contest.metric_name)}</summary>"
        f"<pre>{html.escape(facts.fingerprint(verdict.contest))}</pre></details>"
        for verdict in verdicts
        if verdict.contest.metric
    )
    return f"<pre>{commands}</pre><h3>Environment</h3><dl>{facts_}</dl><h3>Metric</h3>{prints}"
