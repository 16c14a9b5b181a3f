r"""Tables in LaTeX; the document needs `\usepackage{booktabs}`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from gansweep.results.leaderboard import Leaderboard
from gansweep.section import Entry, Table
from gansweep.sweep.identity import plain
from gansweep.sweep.sweep_keys import SEED, UNSET, value

# Names of settings, methods, data sets and metrics in papers.
NAMES = {
    "lr": "learning rate", "lr_d": "discriminator learning rate", "batch_size": "batch size",
    "critic_steps": "critic steps", "schedule_d": "discriminator schedule", "optimizer_d": "discriminator optimizer",
    "adam": "Adam", "adamw": "AdamW", "adabelief": "AdaBelief", "adadelta": "Adadelta", "adagrad": "Adagrad",
    "adan": "Adan", "ademamix": "AdEMAMix", "adopt": "ADOPT", "lion": "Lion", "lookahead": "Lookahead", "mars": "MARS",
    "momentum": "Momentum", "muon": "Muon", "nadam": "NAdam", "optimistic_adam": "Optimistic Adam",
    "optimistic_sgd": "Optimistic SGD", "prodigy": "Prodigy", "radam": "RAdam", "rmsprop": "RMSprop",
    "schedule_free_adamw": "Schedule-Free AdamW", "schedule_free_sgd": "Schedule-Free SGD", "sgd": "SGD",
    "shampoo": "Shampoo", "soap": "SOAP", "cautious": "Cautious",
    "dragan": "DRAGAN", "lsgan": "LSGAN", "r1": "R1", "r2": "R2", "r1_r2": "R1 and R2", "r3gan": "R3GAN",
    "ragan": "RaGAN", "rahinge": "RaHinge", "ralsgan": "RaLSGAN", "rpgan": "RpGAN", "wgan": "WGAN",
    "wgan_gp": "WGAN-GP", "wgan_gp0": "WGAN-GP0", "wgan_lp": "WGAN-LP",
    "one_cycle": "one-cycle", "inverse_sqrt": "inverse square root", "wsd": "warmup-stable-decay",
    "mnist": "MNIST", "fashion_mnist": "Fashion-MNIST", "cifar10": "CIFAR-10", "celeba": "CelebA",
    "digits": "the digits data set", "ring": "eight Gaussians in a ring", "swiss_roll": "the Swiss roll",
    "fd_digits": "Fréchet distance (digits classifier)", "fd_mnist": "Fréchet distance (MNIST classifier)",
    "fid": "FID", "kid": "KID", "psnr": "PSNR", "inception_score": "Inception Score",
}  # fmt: skip
SIZES = ((75, ""), (90, r"\small"), (math.inf, r"\footnotesize\setlength{\tabcolsep}{4pt}"))  # by letters in a row
NUMBER = r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
COUNT = re.compile(r" \(\d+\)")  # of the seeds
MARKS = re.compile(r" ?(?:\[\d+\])+$")
NUMBERS = re.compile(rf"(?P<mean>{NUMBER})(?: ± (?P<sd>{NUMBER}))?(?: \((?P<n>\d+(?: of \d+)?)\))?(?: ?(?:\[\d+\])+)?")
BOLD = r"\mathbf"

# Characters with a meaning in TeX. They are replaced in one pass, so that nothing is escaped twice.
SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "-": r"{-}",  # "--" would become a dash, for example in 1e--4
    "±": r"$\pm$",
    "[": "{[}",  # after \\ it would start an optional argument
    "]": "{]}",
}
ESCAPED = re.compile("|".join(map(re.escape, SPECIAL)))
# Characters outside the range that pdflatex accepts; they can occur in paths and error messages.
UNSUPPORTED = re.compile(r"[^\x20-\x7e\u00a0-\u017f]")


def escape(text: str) -> str:
    r"""Return text escaped for LaTeX.

    >>> print(escape("lr_d=50% & a~b"))
    lr\_d=50\% \& a\textasciitilde{}b
    """
    return ESCAPED.sub(lambda match: SPECIAL[match.group()], UNSUPPORTED.sub("?", " ".join(text.split())))


def write(table: Table, label: str = "tab:gansweep") -> str:
    r"""Return a LaTeX table environment.

    Columns whose heads are `key=value` with one key get the key as a common head. Marks such as [1] are superscripts.
    """
    columns = "l" * table.num_labels + "r" * (len(table.head) - table.num_labels)
    widths = [max(len(row[n]) for row in _rows(table)) + 3 for n in range(len(table.head))]
    size = next(command for limit, command in SIZES if sum(widths) <= limit)
    lines = [
        r"\begin{table}[t]",
        rf"\centering{size}",
        rf"\caption{{{escape(table.caption)}}}",
        rf"\label{{{label}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        *_head(table),
        r"\midrule",
        *(" & ".join(_field(entry) for entry in row) + r" \\" for row in table.entries),
        r"\bottomrule",
        r"\end{tabular}",
        *([r"\par\medskip", *_notes(table.notes)] if table.notes else []),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _rows(table: Table) -> list[list[str]]:
    """Return the texts as printed: head without keys, rows without the marks of notes."""
    body = [[MARKS.sub("", entry.text) for entry in row] for row in table.entries]
    return [[text.rpartition("=")[2] for text in table.head], *body]


def _head(table: Table) -> list[str]:
    labels, values = table.head[: table.num_labels], table.head[table.num_labels :]
    keys = {text.partition("=")[0] for text in values if "=" in text}
    if len(keys) != 1 or not all("=" in text for text in values):
        return [" & ".join(escape(_capital(text)) for text in table.head) + r" \\"]
    first, last = table.num_labels + 1, len(table.head)
    above = "& " * table.num_labels + rf"\multicolumn{{{len(values)}}}{{c}}{{{escape(keys.pop())}}} \\"
    texts = [*map(_capital, labels), *(text.partition("=")[2] for text in values)]
    return [above, rf"\cmidrule(lr){{{first}-{last}}}", " & ".join(map(escape, texts)) + r" \\"]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _notes(notes: Sequence[str]) -> list[str]:
    texts = [rf"\textsuperscript{{{number}}}~{escape(note)}." for number, note in enumerate(notes, 1)]
    return [rf"{{\footnotesize\raggedright {text}\par}}" for text in texts]


def _field(entry: Entry) -> str:
    numbers = NUMBERS.fullmatch(entry.text)
    marks = ",".join(re.findall(r"\[(\d+)\]", entry.text))
    superscript = rf"\textsuperscript{{{marks}}}" if marks else ""
    if numbers is None:
        text = escape(MARKS.sub("", entry.text))
        return (rf"\textbf{{{text}}}" if entry.strong else text) + superscript
    text = r" \pm ".join(map(_number, filter(None, (numbers["mean"], numbers["sd"]))))
    count = f" ({numbers['n']})" if numbers["n"] else ""
    return f"${rf'{BOLD}{{{text}}}' if entry.strong else text}${count}{superscript}"


def _number(text: str) -> str:
    digits, _, exponent = text.partition("e")
    return rf"{digits} \cdot 10^{{{int(exponent)}}}" if exponent else digits


def for_paper(grid: Table, leaderboard: Leaderboard) -> Table:
    """Return a table with a caption, and with names, as a paper prints them.

    The number of seeds is in the caption instead of in every field, if it is the same everywhere.
    """
    values = [NUMBERS.fullmatch(one.text) for row in grid.entries for one in row[grid.num_labels :]]
    counts = {numbers["n"] for numbers in values if numbers}
    seeds = {len(one.runs) for one in leaderboard.configurations}
    same = len(counts) == len(seeds) == 1 and counts == {str(*seeds)}
    rows = []
    for row in grid.entries:
        labels = [replace(one, text=NAMES.get(one.text, one.text)) for one in row[: grid.num_labels]]
        fields = [replace(one, text=COUNT.sub("", one.text) if same else one.text) for one in row[grid.num_labels :]]
        rows.append([*labels, *fields])
    head = [_named(text) for text in grid.head]
    is_bold = any(one.strong for row in rows for one in row)
    return replace(grid, head=head, rows=rows, caption=_caption(leaderboard, same, is_bold))


def _named(text: str) -> str:
    """Return the head of a column with the names of a paper, for example `learning rate=0.001` for `lr=0.001`."""
    name, equal, setting = text.partition("=")
    return f"{NAMES.get(name, name)}{equal}{NAMES.get(setting, setting)}"


def _caption(leaderboard: Leaderboard, same: bool, is_bold: bool) -> str:
    """Return metric, steps, data, direction and aggregation; `same`: whether all fields have the same seeds."""
    metric, direction = leaderboard.metric_name, "lower" if leaderboard.sign > 0 else "higher"
    cells = [run.cell for run in leaderboard.results]
    steps = {cell.config.get("steps") for cell in cells}
    data = {plain(value(cell, "data")) for cell in cells} - {UNSET}
    text = f"{leaderboard.how.capitalize()} {NAMES.get(metric, leaderboard.metric_label)}"
    text += f" on {NAMES.get(*data, *data)}" if len(data) == 1 else ""
    text += f" after {steps.pop()} steps" if len(steps) == 1 and None not in steps else ""
    text += f" ({direction} is better{f'; {leaderboard.label}' if leaderboard.label else ''})"
    numbers = sorted({len(one.runs) for one in leaderboard.configurations})
    if numbers[-1] > 1:
        over = "seeds" if leaderboard.repeated == (SEED,) else f"runs ({' and '.join(leaderboard.repeated)})"
        count = f"{numbers[-1]} {over}" if len(numbers) == 1 else over
        text += f", mean ± standard deviation over {count}" + ("" if same else " (number of values)")
    sentences = [text, *filter(None, [_capital(leaderboard.references)])]
    if is_bold:
        sentences.append("The best mean is bold")
    if any(one.estimate.num_na for one in leaderboard.configurations):
        sentences.append("N/A: no run has a value; means are over the runs that have one")
    if leaderboard.optimistic:
        sentences.append("The best evaluation was chosen on the samples that it is reported on")
    if leaderboard.omitted:
        sentences.append(_capital(leaderboard.omitted))
    return ". ".join(sentences) + "."
