"""Write the verdicts on the statements of papers: the marked blocks of docs/papers.md, and docs/pictures/papers_*.png.

    python scripts/docs/papers.py          # write them
    python scripts/docs/papers.py --check  # exit with 1 if one is out of date

The numbers come only from the files of docs/records that `gansweep.papers.statements` names. A picture contains the
digest of its numbers, so that it is drawn again only if they change; delete it to draw it with other code.
"""

from __future__ import annotations

import hashlib
import math
import re
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from gansweep.papers.parts import Part, Point
from gansweep.papers.statement import OF_PARTS, Outcome, Verdict, committed
from gansweep.papers.statements import STATEMENTS
from gansweep.plot_style import BLUE, COLOURS, GREY, MARKERS, ORANGE, VERMILION, grid_lines, key, legend, panels, styled
from gansweep.statistics.estimate import estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOCS = Path(__file__).parents[2] / "docs"
PAGE, RECORDS, PICTURES = DOCS / "papers.md", DOCS / "records", DOCS / "pictures"
BLOCK = re.compile(r"(<!-- statements: (\w+) -->\n).*?(<!-- end of statements -->)", re.S)
DIGEST = "Description"  # the PNG field with the digest
RULE = (
    "A statement survives if each of its comparisons has a p-value of at most 0.05 in the stated direction, and does "
    "not survive if one has in the opposite direction after Holm's correction. Methods are compared in pairs of equal "
    "seeds. Two are alike if they differ by less than 10 % of the difference between an untrained generator and real "
    "samples, and two orders if their rank correlation is at least 0.5. Intervals are 95 %. Statements about the full "
    "length are not decided by shorter runs. `gansweep papers outputs/NAME` prints the same verdicts for your runs."
)
WIDTH = 7.2  # inches: 792 pixels
APART = 0.05  # least distance of two labels, as a share of the axis
LOOKS: dict[Verdict, dict[str, Any]] = {
    Verdict.SURVIVES: {"color": BLUE, "marker": "o", "markersize": 6},
    Verdict.FAILS: {"color": VERMILION, "marker": "X", "markersize": 7},
    Verdict.OPEN: {"color": GREY, "marker": "s", "markersize": 5, "markerfacecolor": "white"},
}
PRINTED: dict[str, Any] = {
    "color": ORANGE,
    "marker": "D",
    "markersize": 9,
    "markerfacecolor": "none",
    "markeredgewidth": 1.5,
    "linestyle": "",
}
STATED: dict[str, Any] = {"color": BLUE, "alpha": 0.1, "linewidth": 0}


def main() -> int:
    """Write or check the page and the pictures."""
    found = [committed(statement, RECORDS) for statement in STATEMENTS]
    text = page(PAGE.read_text(), found)
    stale = [outcome for outcome in found if drawn(picture(outcome)) != digest(outcome)]
    if "--check" in sys.argv[1:]:
        files = [PAGE] * (text != PAGE.read_text()) + list(map(picture, stale))
        for file in files:
            print(f"docs/{file.relative_to(DOCS)} is out of date: run python scripts/docs/papers.py")
        return int(bool(files))
    PAGE.write_text(text)
    for outcome in stale:
        with styled():
            draw(outcome).savefig(picture(outcome), metadata={"Software": None, DIGEST: digest(outcome)})
    return 0


def page(text: str, found: Sequence[Outcome]) -> str:
    """Return docs/papers.md with its marked blocks replaced."""
    blocks = {paper: details(found, paper) for paper in dict.fromkeys(o.statement.paper for o in found)}
    blocks["summary"] = summary(found)
    return BLOCK.sub(lambda match: f"{match[1]}\n{blocks[match[2]]}\n\n{match[3]}", text)


def summary(found: Sequence[Outcome]) -> str:
    """Return what survives so far in one sentence, the rule, and the table of all statements."""
    counts = {verdict: [o.verdict for o in found].count(verdict) for verdict in Verdict}
    sentence = (
        f"**What survives so far: {counts[Verdict.SURVIVES]} of {len(found)} statements.** {counts[Verdict.FAILS]} do "
        f"not survive, and {counts[Verdict.OPEN]} can't be decided yet."
    )
    decided = [
        f"- {statement.claim}: {_verdict(outcome)}."
        for outcome in sorted(found, key=lambda outcome: list(Verdict).index(outcome.verdict))
        if (statement := outcome.statement) and outcome.verdict is not Verdict.OPEN
    ]
    rows = [
        [
            outcome.statement.claim,
            outcome.statement.printed,
            _verdict(outcome),
            outcome.tally,
            outcome.needs,
            f"[{outcome.statement.records[0]}](records/{outcome.statement.records[0].partition('/')[0]}/README.md)",
        ]
        for outcome in found
    ]
    head = ["statement", "printed from", "verdict", "measured", "what would decide it", "record"]
    table = [head, ["---"] * len(head), *rows]
    lines = [f"| {' | '.join(row)} |" for row in table]
    return "\n\n".join([_wrapped(sentence), "\n".join(map(_wrapped, decided)), _wrapped(RULE), "\n".join(lines)])


def details(found: Sequence[Outcome], paper: str) -> str:
    """Return the verdict and the picture of every statement of a paper."""
    parts = []
    for outcome in found:
        statement = outcome.statement
        if statement.paper == paper:
            words = f"**{statement.claim}** ({statement.source}): {outcome.line()}"
            parts += [_wrapped(words), f"![{statement.claim}](pictures/{picture(outcome).name})"]
    return "\n\n".join(parts)


def picture(outcome: Outcome) -> Path:
    """Return the path of the picture of a statement."""
    return PICTURES / f"papers_{outcome.statement.name}.png"


def digest(outcome: Outcome) -> str:
    """Return a digest of everything that a picture shows."""
    statement = outcome.statement
    shown = statement.claim, statement.axis, outcome.verdict, outcome.verdicts, outcome.length, outcome.parts
    return hashlib.sha256(re.sub(r"\d+\.\d+(?:e[-+]?\d+)?", _rounded, repr(shown)).encode()).hexdigest()[:16]


def drawn(path: Path) -> str:
    """Return the digest in a picture; empty without a picture."""
    if not path.exists():
        return ""
    with Image.open(path) as image:
        return str(image.info.get(DIGEST, ""))


def _rounded(match: re.Match[str]) -> str:
    return f"{float(match[0]):.6g}"  # the last digits depend on the versions of numpy and scipy


def _verdict(outcome: Outcome) -> str:
    return ", at ".join(filter(None, (outcome.verdict.value, outcome.length)))


def _wrapped(text: str) -> str:
    indent = "  " if text.startswith("- ") else ""
    lines = textwrap.wrap(text, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines)


def draw(outcome: Outcome) -> Figure:
    """Draw a statement with at least one part; the title contains the claim and the verdict."""
    points = len(outcome.parts) == 1 and bool(outcome.parts[0].points)
    height = 3.4 if points else 0.8 + 0.24 * len(outcome.parts)
    found = f"{outcome.verdict.value}{f', at {outcome.length}' if outcome.length else ''}"
    title = "\n".join(textwrap.wrap(f"{outcome.statement.claim}: {found}", 76))
    with styled():
        figure, (axis,) = panels(1, 1, title, (WIDTH, height))
        if points:
            _scatter(figure, axis, outcome.parts[0])
        else:
            _forest(figure, axis, outcome)
        return figure


def _forest(figure: Figure, axis: Axes, outcome: Outcome) -> None:
    """Draw one row per part: estimate, interval, printed value, and the stated side."""
    parts, rows = outcome.parts, range(len(outcome.parts))
    for row, part, verdict in zip(rows, parts, outcome.verdicts, strict=True):
        if not math.isnan(part.low):
            axis.plot([part.low, part.high], [row, row], color=LOOKS[verdict]["color"], linewidth=1.5)
        axis.plot([part.estimate], [row], linestyle="", **LOOKS[verdict])
        if part.printed is not None:
            axis.plot([part.printed], [row], **PRINTED, zorder=3)
    ends = [end for part in parts for end in part.claimed if math.isfinite(end)]
    axis.plot(ends, [0] * len(ends), linestyle="")  # extends the axis to the ends of the stated intervals
    low, high = axis.get_xlim()
    for row, part in zip(rows, parts, strict=True):
        stated = max(part.claimed[0], low), min(part.claimed[1], high)
        axis.fill_betweenx([row - 0.5, row + 0.5], *stated, **STATED)
    axis.set(xlim=(low, high), ylim=(len(parts) - 0.5, -0.5), xlabel=outcome.statement.axis)
    axis.set_yticks(list(rows), [part.label for part in parts])
    grid_lines(axis)
    keys = [
        key(OF_PARTS[verdict], linestyle="-", **LOOKS[verdict]) for verdict in Verdict if verdict in outcome.verdicts
    ]
    if any(part.printed is not None for part in parts):
        keys.append(key("printed, at full length" if outcome.length else "printed", **PRINTED))
    legend(figure, [*keys, key("region of the statement", **{**STATED, "linewidth": 7, "alpha": 0.25})])


def _scatter(figure: Figure, axis: Axes, part: Part) -> None:
    """Draw measured over printed values: mean and 95 % interval over seeds. Labels that would overlap are omitted."""
    means = [estimate(point.measured) for point in part.points]
    optimizers = list(dict.fromkeys(_optimizer(point) for point in part.points))
    labelled: list[tuple[float, float]] = []
    width = max(point.printed for point in part.points) - min(point.printed for point in part.points)
    height = max(mean.mean for mean in means) - min(mean.mean for mean in means)
    for point, mean in zip(part.points, means, strict=True):
        n = optimizers.index(_optimizer(point))
        if mean.n > 1:
            axis.plot([point.printed] * 2, [mean.low, mean.high], color=COLOURS[n], linewidth=1)
        axis.plot([point.printed], [mean.mean], MARKERS[n], color=COLOURS[n], markersize=5)
        place = point.printed / (width or 1.0), mean.mean / (height or 1.0)
        if all(math.dist(place, other) > APART for other in labelled):
            text = point.label.rpartition(" ")[2]
            axis.annotate(text, (point.printed, mean.mean), (5, 3), textcoords="offset points", fontsize=7)
            labelled.append(place)
    interval = "" if math.isnan(part.low) else f" [{part.low:.2f}, {part.high:.2f}]"
    axis.set(xlabel="printed", ylabel="measured", title=f"{part.label}: {part.estimate:.2f}{interval}")
    grid_lines(axis)
    names = enumerate(optimizers if any(optimizers) else [])
    legend(figure, [key(name, color=COLOURS[n], marker=MARKERS[n], linestyle="") for n, name in names])


def _optimizer(point: Point) -> str:
    return point.label.rpartition(" ")[0]


if __name__ == "__main__":
    sys.exit(main())
