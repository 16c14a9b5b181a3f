from __future__ import annotations

import csv
import io
from dataclasses import replace

from tests.results.tables import done, rows
from tests.sweep.fake_cells import cell, diverged, record, write

from gansweep.results.frame import spreadsheet
from gansweep.results.table import table
from gansweep.sweep import tensorboard_layout
from gansweep.sweep.cell import Result, State
from gansweep.sweep.run_state import failed_record
from gansweep.training import checkpoint


def test_two_settings_are_rows_and_columns(tmp_path):
    results = [
        done(tmp_path, 60.0, optimizer="sgd", lr=1e-3),
        done(tmp_path, 70.0, optimizer="sgd", lr=1e-4),
        done(tmp_path, 1234.5, optimizer="adam", lr=1e-3),
        done(tmp_path, 8.0, optimizer="adam", lr=1e-4),
    ]
    assert rows(table(results)) == [
        ["optimizer", "lr=0.0001", "lr=0.001"],
        ["sgd", "70.00", "60.00"],
        ["adam", "8.00", "1234 [1]"],
    ]


def test_one_setting_is_a_list_with_the_best_on_the_way(tmp_path):
    results = [done(tmp_path, 60.0, lr=1e-3), done(tmp_path, 70.0, lr=1e-4)]
    assert rows(table(results)) == [
        ["lr", "final fd_digits", "best (step)"],
        ["0.0001", "70.00", "69.00 (80)"],
        ["0.001", "60.00", "59.00 (80)"],
    ]


def test_a_single_run_is_a_row(tmp_path):
    result = done(tmp_path, 60.0, optimizer="sgd")
    assert rows(table([result]))[1] == ["optimizer=sgd", "60.00", "59.00 (80)"]
    long = done(tmp_path, 60.0, optimizer="sgd", widths=list(range(40)))
    (name, *_) = rows(table([long]))[1]
    assert name.startswith("optimizer=sgd,")
    assert len(name) == 40
    assert name.endswith("…")


def test_three_settings_are_combinations_by_the_last(tmp_path):
    results = [done(tmp_path, 60.0, loss=loss, optimizer=o, lr=lr) for loss in "ab" for o in "xy" for lr in (1, 2)]
    found = rows(table(results))
    assert found[0] == ["loss", "optimizer", "lr=1", "lr=2"]
    assert [row[:2] for row in found[1:]] == [["a", "x"], ["a", "y"], ["b", "x"], ["b", "y"]]


def test_a_setting_with_many_values_is_not_used_for_columns(tmp_path):
    results = [done(tmp_path, 60.0, optimizer=o, lr=lr) for o in "xy" for lr in range(1, 20)]
    assert rows(table(results))[0] == ["lr", "optimizer=x", "optimizer=y"]


def test_seeds_are_averaged_and_counted(tmp_path):
    results = [done(tmp_path, value, lr=1, seed=seed) for seed, value in enumerate([50.0, 60.0, 70.0])]
    one = cell(tmp_path, lr=2, seed=0)
    results += [Result(one, State.DIVERGED, diverged(one)), done(tmp_path, 80.0, lr=2, seed=1)]
    text = table(results)
    assert rows(text) == [
        ["lr", "final fd_digits", "best during training"],
        ["1", "60 ± 10 (3)", "59 ± 10 (3)"],
        ["2", "80.00 (1 of 2) [1]", "79.00 (1 of 2)"],
    ]
    assert "[1] seed 0: diverged at step 17, discriminator: loss is not finite" in text


def bold(text):
    return [entry for row in rows(text) for entry in row if entry.startswith("**")]


def test_the_best_mean_of_repeated_cells_is_bold_and_nothing_else(tmp_path):
    """Neither the best single seed, nor a configuration with one seed, nor a mean over some of the seeds."""
    finals = {1: [10.0, 90.0], 2: [40.0, 44.0], 3: [30.0], 4: [20.0, None]}
    results = []
    for lr, values in finals.items():
        for seed, final in enumerate(values):
            one = cell(tmp_path, lr=lr, seed=seed)
            results.append(
                Result(one, State.DIVERGED, diverged(one)) if final is None else done(tmp_path, final, **one.overrides)
            )
    text = table(results)
    assert bold(text) == ["**42.0 ± 2.8 (2)**"]
    assert "seeds 0, 1; bold: best mean where every seed has a value" in text
    for result in results:
        result.record["metric"] |= {"lower_is_better": False, "untrained": 0.0}
    assert bold(table(results)) == ["**50 ± 57 (2)**"]


def test_with_one_seed_each_nothing_is_bold(tmp_path):
    text = table([done(tmp_path, value, lr=value) for value in (1.0, 2.0)])
    assert bold(text) == []
    assert "one seed each (0)" in text
    assert "bold" not in text
    spread = table([done(tmp_path, lr=lr, seed=seed) for seed, lr in enumerate([1, 2, 3])])
    assert bold(spread) == []
    assert "one seed each (0, 1, 2)" in spread
    assert "; seed 0;" in table([done(tmp_path, lr=1)])


def test_seeds_alone_are_listed(tmp_path):
    assert [row[0] for row in rows(table([done(tmp_path, seed=seed) for seed in (0, 1)]))] == ["seed", "0", "1"]


def test_every_state_is_shown_and_explained(tmp_path):
    cells = [cell(tmp_path, lr=lr) for lr in range(1, 7)]
    results = [
        Result(cells[0], State.DIVERGED, diverged(cells[0])),
        Result(cells[1], State.FAILED, write(cells[1], failed_record(cells[1], ValueError("no\nsecond line")))),
        Result(cells[2], State.NEW),
        Result(cells[3], State.CLAIMED),
        Result(cells[4], State.RESUMABLE),
        Result(cells[5], State.COMPLETED, record(cells[5], metric=None)),
    ]
    text = table(results)
    assert [row[1] for row in rows(text)[1:]] == ["N/A [1]", "failed [2]", "-", "running", "unfinished", "done"]
    assert "[1] diverged at step 17, discriminator: loss is not finite" in text
    assert "[2] failed: ValueError: no; traceback in " in text


def unfinished(one, step):
    one.directory.mkdir(parents=True)
    checkpoint.save(one.directory, one.identity, {"member": {"step": step}})
    return Result(one, State.RESUMABLE)


def test_the_steps_of_unfinished_runs_are_noted_if_seeds_are_averaged(tmp_path):
    cells = [cell(tmp_path, lr=lr, seed=seed) for lr in (1, 2) for seed in (0, 1)]
    finished = Result(cells[0], State.COMPLETED, record(cells[0], 50.0))
    results = [finished, *(unfinished(one, 7 + n) for n, one in enumerate(cells[1:]))]
    for result in results:
        result.cell.config["steps"] = 90
    text = table(results)
    assert [row[1] for row in rows(text)[1:]] == ["50.00 (1 of 2) [1]", "unfinished [2][3]"]
    for number, seed, step in ((1, 1, 7), (2, 0, 8), (3, 1, 9)):
        assert f"[{number}] seed {seed}: unfinished (step {step} of 90)" in text


def test_equal_problems_share_a_note(tmp_path):
    cells = [cell(tmp_path, lr=lr) for lr in (1, 2)]
    text = table([Result(one, State.DIVERGED, diverged(one)) for one in cells])
    assert [row[1] for row in rows(text)[1:]] == ["N/A [1]", "N/A [1]"]
    assert text.count("diverged at") == 1


def test_values_of_different_metric_fingerprints_never_share_a_table(tmp_path):
    digits, mnist = {"metric": "fd_digits", "n_real": 9, "n_fake": 8}, {"metric": "fd_mnist", "n_real": 9, "n_fake": 8}
    results = [
        done(tmp_path, 1.0, metric=m, fingerprint=f, lr=lr) for m, f in (("d", digits), ("m", mnist)) for lr in (1, 2)
    ]
    dead = cell(tmp_path, metric="m", lr=3)
    text = table([*results, Result(dead, State.NEW)])
    assert "can't be compared" in text
    assert f"- table 2 (metric=m): metric fd_mnist: {results[2].cell.name}, {results[3].cell.name}, {dead.name}" in text
    assert "n_real" not in text.split("\n\n")[0]
    first, second = (rows(part) for part in text.split("\n\n") if part.startswith("|"))
    assert [row[0] for row in first] == ["lr", "1", "2"]
    assert [row[0] for row in second] == ["lr", "1", "2", "3"]


def test_edited_data_is_a_separate_row_if_the_fingerprint_does_not_contain_it(tmp_path):
    results = [done(tmp_path, 50.0 + seed, lr=1, seed=seed) for seed in (0, 1)]
    for seed in (2, 3):
        one = cell(tmp_path, lr=1, seed=seed)
        one = replace(one, identity=one.identity | {"data": "b" * 64})
        results.append(Result(one, State.COMPLETED, record(one, 70.0 + seed)))
    assert [row[:2] for row in rows(table(results))] == [
        ["data content", "final fd_digits"],
        ["data-hash", "**50.50 ± 0.71 (2)**"],
        ["bbbbbbbb", "72.50 ± 0.71 (2)"],
    ]
    fields = list(csv.DictReader(io.StringIO(spreadsheet(results))))
    assert [row["data content"] for row in fields] == ["data-hash"] * 2 + ["bbbbbbbb"] * 2
    assert [row["data content"] for row in tensorboard_layout.table_of([one.cell for one in results])] == [
        "data-hash"
    ] * 2 + ["bbbbbbbb"] * 2


def test_the_titles_of_several_tables_state_the_settings_that_differ(tmp_path):
    results = [
        done(tmp_path, 1.0, fingerprint={"metric": "w1", "n_fake": n}, **{"metric.num_samples": n}, lr=lr)
        for n in (40, 80)
        for lr in (1, 2)
    ]
    text = table(results)
    assert "- table 1 (metric.num_samples=40): n_fake 40:" in text
    assert "### Table 1: fd_digits, metric.num_samples=40\n\n| lr" in text
    assert "### Table 2: fd_digits, metric.num_samples=80\n\n| lr" in text
    captions = [part for part in text.split("\n\n") if part.startswith("Final")]
    assert ["metric.num_samples=40" in one for one in captions] == [True, False]


def test_without_differing_settings_the_titles_state_the_fingerprints(tmp_path):
    results = [
        done(tmp_path, fingerprint={"metric": "w1", "version": version}, lr=1, seed=version) for version in (1, 2)
    ]
    assert "### Table 2: fd_digits, seed=2\n" in table(results)
    alike = [replace(one, cell=results[0].cell) for one in results]
    assert "### Table 2: fd_digits, version 2\n" in table(alike)


def test_the_average_of_the_generator_is_a_setting_of_the_training(tmp_path):
    results = [
        done(tmp_path, 1.0, fingerprint={"metric": "w1", "generator": kind}, **{"trainer.ema": ema})
        for ema, kind in ((None, "raw"), (0.9, "ema"), (0.99, "ema"))
    ]
    text = table(results)
    assert [row[0] for row in rows(text)] == ["trainer.ema", "null", "0.9", "0.99"]
    assert "can't be compared" not in text


def test_a_configuration_no_better_than_untrained_has_a_note_and_is_never_bold(tmp_path):
    finals = {1: (1.92, 1.90), 2: (1.70, 1.72), 3: (2.5, 2.6)}
    untrained = {1: (1.78, 1.82), 2: (1.78, 1.82), 3: (9.0, 9.1)}
    results = [
        done(tmp_path, finals[lr][seed], untrained=untrained[lr][seed], lr=lr, seed=seed)
        for lr in finals
        for seed in (0, 1)
    ]
    text = table(results)
    assert bold(text) == ["**1.710 ± 0.014 (2)**"]
    assert rows(text)[1][1] == "1.910 ± 0.014 (2) [1]"
    assert "[1] no better than the untrained generator (1.78 to 1.82)" in text
    without = [one for one in results if one.cell.overrides["lr"] != 2]
    assert bold(table(without)) == ["**2.550 ± 0.071 (2)**"], "best value, but trained to be worse"
    assert bold(table(results[:2] + [done(tmp_path, 3.0, untrained=2.0, lr=4, seed=seed) for seed in (0, 1)])) == []


def test_the_caption_states_sample_counts_reference_values_and_versions(tmp_path):
    text = table([done(tmp_path, lr=1, untrained=400.0), done(tmp_path, lr=2, untrained=410.0)], ["python -m gansweep"])
    for words in ("898 generated against 1797 real", "untrained generator 400.0 to 410.0", "real against real 3.10"):
        assert words in text
    for words in ("after 100 steps", "(0)", "gansweep 0.1.0", "torch 2.15.0", "Command: `python -m gansweep`"):
        assert words in text


def test_all_command_lines_are_listed(tmp_path):
    assert table([done(tmp_path)], ["a b", "c"]).endswith("\n\nCommands:\n\n- `a b`\n- `c`\n")


def test_the_caption_states_the_settings_that_all_cells_share(tmp_path):
    shared = {"data": "ring", "model": "mlp", "batch_size": 64, "lr": 0.1, "lr_d": 0.1}
    text = table([done(tmp_path, loss=loss, **shared) for loss in ("r1", "wgan")])
    assert "; data=ring, model=mlp, lr=0.1, batch_size=64; gansweep" in text
    text = table([done(tmp_path, data="ring"), done(tmp_path, data="grid")])
    assert "data=" not in text


def test_the_caption_states_the_direction_of_the_metric(tmp_path):
    results = [done(tmp_path, 60.0, lr=1), done(tmp_path, 70.0, lr=2)]
    for result in results:
        result.record["metric"]["lower_is_better"] = False
    assert "higher is better" in table(results)


def test_odd_values_do_not_break_the_table(tmp_path):
    results = [done(tmp_path, note="a|b\nc"), done(tmp_path, note="é" * 300), done(tmp_path, note=[0.5, None])]
    assert [row[0] for row in rows(table(results))] == ["note", r"a\|b c", "é" * 300, "[0.5,null]"]


def test_a_sweep_without_cells_is_an_empty_table():
    assert table([]).startswith("| cell |")
