r"""Tables in LaTeX; the document needs `\usepackage{booktabs}`."""

from __future__ import annotations

import re

from gansweep.section import Entry, Table

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
    """Return a LaTeX table environment."""
    columns = "l" * table.num_labels + "r" * (len(table.head) - table.num_labels)
    notes = [rf"{{\footnotesize [{number}] {escape(note)}\par}}" for number, note in enumerate(table.notes, 1)]
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape(table.caption)}}}",
        rf"\label{{{label}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        " & ".join(escape(name) for name in table.head) + r" \\",
        r"\midrule",
        *(" & ".join(_field(entry) for entry in row) + r" \\" for row in table.entries),
        r"\bottomrule",
        r"\end{tabular}",
        *([r"\par\medskip", *notes] if notes else []),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _field(entry: Entry) -> str:
    text = escape(entry.text)
    return rf"\textbf{{{text}}}" if entry.strong else text
