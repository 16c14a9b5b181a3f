"""LaTeX tables of a report."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from tests.report.studies import HERE, by_lr, study

from gansweep.report import formats, latex
from gansweep.report.formats import TableOptions

NASTY = "a_b & 5% $x^2$ #1 {~} \\cmd <|> \"q\" 'p' `t` -- [0.5,0.9] 日本 é"


def test_latex_leaves_no_letter_with_a_meaning():
    bare = re.sub(r"\\text[a-z]+\{\}|\\[{}$&#%_]|\{[-\[]?\]?\}|\{\[\}|\{\]\}|\{-\}", "", latex.escape(NASTY))
    assert not re.search(r"[\\{}$&#%_^~<>|\"'`\[\]-]", bare), bare


def document(of):
    head = r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{booktabs}\begin{document}"
    return f"{head}\n{formats.in_latex(of, TableOptions(), HERE)}\n\\end{{document}}\n"


def test_latex_has_booktabs_rules_and_as_many_fields_as_columns(tmp_path):
    text = document(by_lr(tmp_path, {1: [1.0, 2.0, None], 2: [9.0, 9.1, 9.2]}))
    body = text.partition(r"\midrule")[2].partition(r"\bottomrule")[0]
    assert r"\toprule" in text
    assert r"\begin{table}[t]" in text
    assert r"\begin{tabular}{lr}" in text
    assert [line.count(" & ") for line in body.strip().splitlines()] == [1, 1]
    assert r"$\mathbf{9.10 \pm 0.10}$ (3)" in text


def test_latex_prints_names_and_a_caption_of_a_paper(tmp_path):
    """The number of seeds is in the caption, the key of the columns above them, the label is the sweep's name."""
    cells = [({"optimizer": o, "lr": lr, "seed": s}, 1.0 + s + lr) for o in ("rmsprop", "sgd") for lr in (1, 2)
             for s in (0, 1)]  # fmt: skip
    text = formats.in_latex(study(tmp_path / "my_first sweep", cells), TableOptions(), HERE)
    assert r"\label{tab:my-first-sweep}" in text
    assert r"& \multicolumn{2}{c}{learning rate} \\" + "\n" + r"\cmidrule(lr){2-3}" in text
    assert r"Optimizer & 1 & 2 \\" in text
    assert "RMSprop & " in text
    assert r"SGD & $2.50 \pm 0.71$ & $3.50 \pm 0.71$ \\" in text
    (caption,) = re.findall(r"\\caption\{(.*)\}", text)
    assert "(lower is better), mean $\\pm$ standard deviation over 2 seeds" in caption
    assert "tab:gansweep" not in text


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("tectonic") or shutil.which("pdflatex")), reason="needs tectonic or pdflatex")
def test_latex_compiles(tmp_path):
    of = study(
        tmp_path,
        [({"optimizer": name, "lr": lr}, 1.0 + lr) for name in (NASTY, "adam", "[0.5,0.9]") for lr in (1e-4, 1)],
        commands=[f"python -m gansweep -m x='{NASTY}'"],
    )
    (tmp_path / "table.tex").write_text(document(of), encoding="utf-8")
    tool = ["tectonic"] if shutil.which("tectonic") else ["pdflatex", "-interaction=nonstopmode", "-halt-on-error"]
    run = subprocess.run([*tool, "table.tex"], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-2000:]
    assert (tmp_path / "table.pdf").stat().st_size > 1000
    assert "Overfull" not in run.stdout
