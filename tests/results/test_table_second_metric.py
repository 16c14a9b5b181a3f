"""table.md of runs with two metrics."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

from tests.results.tables import done, rows

from gansweep.results.frame import spreadsheet
from gansweep.results.table import table


def with_second(result, final, fingerprint):
    metric = {"name": "second", "final": final, "best": final, "fingerprint": fingerprint, "lower_is_better": True}
    return replace(result, record={**result.record, "metric_2": metric})


def test_the_second_metric_is_a_column_or_a_second_table(tmp_path):
    pairs = [(name, lr) for name in ("adam", "sgd") for lr in (1, 2)]
    results = [with_second(done(tmp_path, optimizer=name, lr=lr), 3.0 + lr, {}) for name, lr in pairs]
    assert rows(table(results[:2]))[:2] == [
        ["lr", "final fd_digits", "best (step)", "final second"],
        ["1", "50.00", "49.00 (80)", "4.00"],
    ]
    text = table(results)
    assert "\n\nSecond metric, final second:\n\n| optimizer | lr=1 | lr=2 |\n" in text
    assert rows(text)[-1] == ["sgd", "4.00", "5.00"]
    (first, *_) = csv.DictReader(io.StringIO(spreadsheet(results)))
    assert first["metric_2_final"] == "4.0"


def test_values_of_different_second_metrics_never_share_a_table(tmp_path):
    second = [(1, 40), (2, 80), (3, 80)]
    results = [with_second(done(tmp_path, lr=lr, metric_2=n), 1.0, {"n_fake": n}) for lr, n in second]
    text = table([*results, done(tmp_path, lr=4)])
    (line,) = (line for line in text.splitlines() if line.startswith("- table 2: metric_2.n_fake 80: "))
    assert [f"lr={lr}" in line for lr in (1, 2, 3, 4)] == [False, True, True, True], "without one: in the largest"
