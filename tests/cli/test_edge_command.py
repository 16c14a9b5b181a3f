"""The command line of `gansweep edge`, on the Dirac-GAN."""

import json

import pytest

from gansweep.cli.edge import main

DIRAC = ["model=dirac", "data=point_mass", "metric=wasserstein1", "metric.num_samples=8", "batch_size=4", "steps=100"]


def rows(text):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]


def test_the_boundary_of_r1_and_the_cells_beyond_it(capsys):
    line = [*DIRAC, "critic_steps=1", "loss=wgan", "optimizer=sgd", "lr=0.1,3", "--after", "0"]
    assert main(line) == 0
    table = rows(capsys.readouterr().out)
    alone, both = (next(row for row in table if row[1].startswith(player)) for player in ("generator", "both"))
    assert alone[2] == "any"  # the bilinear game has no curvature
    assert float(both[2]) == pytest.approx(2, rel=0.1)  # lr = 2, and the tolerated growth in 100 steps
    assert {row[0]: row[-1] for row in table if row[0].startswith("lr=")} == {
        "lr=0.1": "",
        "lr=3": "beyond the boundary",
    }
    heads = [row for row in table if row[0] in ("after steps", "cell")]
    assert all(all(head) for head in heads), "every column has a name"


@pytest.mark.parametrize("model", ["dcganx", pytest.param("resnet", marks=pytest.mark.slow)])
def test_networks_with_convolutions_and_a_gradient_penalty(capsys, model):
    """The Jacobian of the game has third derivatives of the networks, which torch lacks for some convolutions."""
    line = ["data=digits", f"model={model}", "model.base_width=2", "loss=wgan_gp", "optimizer=sgd", "lr=1e-3"]
    assert main([*line, "batch_size=2", "critic_steps=1", "steps=20", "metric.num_samples=32", "--after", "0"]) == 0
    assert any(row[1].startswith("both") for row in rows(capsys.readouterr().out))


def test_the_second_linearization_is_made_after_some_steps(capsys):
    assert main([*DIRAC, "critic_steps=1", "loss=r1", "optimizer=sgd", "lr=0.01", "--after", "5"]) == 0
    assert {row[0] for row in rows(capsys.readouterr().out)} >= {"0", "5"}


def test_an_optimizer_without_a_linear_part_is_named_and_its_cells_are_trained(capsys, tmp_path):
    line = [*DIRAC, "critic_steps=1", "loss=r1", "optimizer=lion", "lr=0.01,1e5", "--after", "9"]
    assert main([*line, "--out", str(tmp_path / "edge.svg")]) == 0
    out = capsys.readouterr().out
    assert "No boundary: no linear part near a gradient of zero" in out
    cells = {float(row[1]): row for row in rows(out) if row[0].startswith("lr=")}
    assert float(cells[0.01][3]) == pytest.approx(0.01 * 9, rel=0.5)  # |theta_9 - theta_0| / |theta_0|, theta_0 = 1
    assert [cells[lr][-1].partition(":")[0] for lr in cells] == [
        "",
        "expected to diverge or to end worse than untrained",
    ]
    assert (tmp_path / "edge.svg").exists()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--after", "-1"], "--after"),
        (["lr=-1"], "lr"),
        (["algorithm=cfg"], "algorithm=cfg"),
        (["lrr=1"], "lrr"),
        (["lr=interval(1e-3,1)", "num=2", "sampler=tpe"], "sampler=tpe"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else value,
)
def test_mistakes_end_with_a_block_that_names_the_setting(capsys, words, named):
    assert main([*DIRAC, *words]) == 2
    assert named in capsys.readouterr().err


def test_a_problem_of_several_cells_is_printed_once(capsys):
    assert main([*DIRAC, "algorithm=cfg", "lr=0.1,1"]) == 2
    assert capsys.readouterr().err.count("algorithm=cfg") == 1


def test_dynamics_without_a_linear_part_are_named(capsys):
    assert main([*DIRAC, "critic_steps=1", "loss=r1", "optimizer=sgd", "dynamics=unrolled", "--after", "0"]) == 0
    assert "No boundary: no linear part: Unrolled" in capsys.readouterr().out


def test_a_training_that_diverges_leaves_the_first_linearization(capsys):
    assert main([*DIRAC, "critic_steps=1", "loss=r1", "optimizer=sgd", "lr=1e30", "--after", "9"]) == 0
    out = capsys.readouterr().out
    assert {row[0] for row in rows(out)} >= {"0", "lr=1e30"}
    assert "No boundary after 9 steps at lr = 1e+30: the gradients are not finite." in out


def test_a_long_schedule_is_not_evaluated_at_every_step(capsys):
    line = [*DIRAC, "critic_steps=1", "loss=r1", "optimizer=sgd", "lr=0.01", "schedule=warmup", "schedule.length=0.5"]
    assert main([*line, "steps=1000000000", "--after", "0"]) == 0
    assert next(row for row in rows(capsys.readouterr().out) if row[0].startswith("lr="))[1:3] == ["0.01", "0.01"]


def test_each_cell_is_linearized_after_training_at_its_own_rate(capsys):
    line = [*DIRAC, "critic_steps=1", "loss=r1", "optimizer=sgd", "lr=0.01,1e30", "--after", "9"]
    assert main(line) == 0
    warnings = {float(row[1]): row[-1] for row in rows(capsys.readouterr().out) if row[0].startswith("lr=")}
    assert warnings[0.01] == ""
    assert warnings[1e30].startswith("expected to diverge")


def test_the_figure_is_written(capsys, tmp_path):
    line = [*DIRAC, "critic_steps=1", "loss=r1", "optimizer=sgd", "lr=0.01,3", "--after", "0"]
    assert main([*line, "--out", str(tmp_path / "edge.svg")]) == 0
    text = (tmp_path / "edge.svg").read_text()
    assert "<svg" in text
    assert main([*line, "--out", str(tmp_path / "edge.txt")]) == 2
    assert "--out" in capsys.readouterr().err


def test_the_plan_marks_cells_only_if_asked(gansweep):
    line = ["-m", *DIRAC, "critic_steps=1", "loss=r1", "optimizer=sgd,lion", "lr=0.01,1e30", "workers=1", "device=cpu"]
    plan = json.loads(gansweep(*line, "plan=edge_json").out)
    marked = [cell["overrides"] for cell in plan["cells"] if cell["warning"]]
    assert [(cell["optimizer"], float(cell["lr"])) for cell in marked] == [("sgd", 1e30), ("lion", 1e30)]
    assert any("No boundary for" in note and "lion" in note for note in plan["notes"])
    assert plan["num_trained"] == 4, "no cell is skipped"
    assert all("warning" not in cell for cell in json.loads(gansweep(*line, "plan=json").out)["cells"])


def test_the_folder_of_the_figure_is_made_or_named_before_anything_is_computed(capsys, tmp_path):
    line = [*DIRAC, "critic_steps=1", "loss=r1", "optimizer=sgd", "lr=0.01", "--after", "0", "--out"]
    (tmp_path / "file").write_text("")
    assert main([*line, str(tmp_path / "file" / "edge.svg")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"--out {tmp_path / 'file'}: is not a directory" in err
    assert main([*line, str(tmp_path / "new" / "edge.svg")]) == 0
    assert (tmp_path / "new" / "edge.svg").exists()


def test_the_points_of_an_interval_are_those_of_the_sweep(capsys, gansweep):
    line = [*DIRAC, "critic_steps=1", "loss=r1", "optimizer=sgd", "lr=interval(1e-3,1)", "num=3"]
    assert main([*line[:3], "--after", "0", *line[3:]]) == 0, "options between settings"
    cells = [row[0] for row in rows(capsys.readouterr().out) if row[0].startswith("lr=")]
    plan = json.loads(gansweep("-m", *line, "plan=json").out)
    assert cells == [f"lr={cell['overrides']['lr']}" for cell in plan["cells"]]
    assert len(cells) == 3
