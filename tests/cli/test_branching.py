"""branch=auto: cells of a sweep whose schedules agree up to a step train these steps once, with the same numbers."""

from __future__ import annotations

import json

import pytest
from tests.cli.tiny import TINY

from gansweep.training.session import TrainingSession

RING = [text for text in TINY if text not in ("~metric", "steps=2", "pack=1", "workers=1")]
RING += ["data=ring", "metric=wasserstein1", "metric.num_samples=32", "trainer.eval_every=15"]
STEPS = 60
COOLDOWNS = ["schedule=wsd", "schedule.warmup=0", "schedule.cooldown=12,24,36", f"steps={STEPS}"]
BEGINNINGS = {"12": None, "24": 37, "36": 25}  # the first step of a cooldown has the multiplier 1


@pytest.fixture
def typed(gansweep):
    """Run a grid with the smallest networks; return its output, after a check of the exit code."""

    def run(*more, code=0):
        answer = gansweep("-m", *RING, "workers=1", "pack=1", *more)
        assert answer.code == code, answer.err
        return answer

    return run


@pytest.fixture
def steps(monkeypatch):
    """Count the steps that are trained."""
    counted = []
    original = TrainingSession.record_step

    def count(session, report):
        original(session, report)
        counted.append(session.directory.name)

    monkeypatch.setattr(TrainingSession, "record_step", count)
    return counted


def numbers(records, *also):
    """Return the part of the records that must not depend on branches; `checkpoint` has the checksum of the member."""
    keys = ("cell", "metric", "steps", "state", "divergence", "identity", "checkpoint", "diagnostics", *also)
    return {name: {key: record.get(key) for key in keys} for name, record in records.items()}


def continued(records, key="schedule.cooldown"):
    return {f"{r['cell']['overrides'][key]:g}": (r.get("continued") or {}).get("step") for r in records.values()}


def planned(typed, *more):
    return json.loads(typed(*more, "plan=json").out)


SMALL_PACKS = [pytest.param([f"pack={size}"], marks=pytest.mark.slow) for size in (1, 2)]


@pytest.mark.parametrize("more", [*SMALL_PACKS, ["pack=4", "trainer.diagnose_every=20"]], ids=" ".join)
def test_cooldowns_of_one_training(gansweep, typed, steps, more):
    plan = planned(typed, *COOLDOWNS, *more, "name=on")
    assert (plan["num_steps"], plan["saved_steps"]) == (3 * STEPS - 37 - 25, 37 + 25)
    assert [cell["from_step"] for cell in plan["cells"]] == [None, 37, 25]
    assert [cell["branch_of"] for cell in plan["cells"]] == [None, plan["cells"][0]["cell"], plan["cells"][0]["cell"]]
    answer = typed(*COOLDOWNS, *more, "name=on")
    assert "2 cells will branch from other cells, which saves 62 steps (branch=auto)" in answer.err + answer.out
    assert len(steps) == plan["num_steps"]
    records = gansweep.records("on")
    assert continued(records) == BEGINNINGS
    trunk = next(r for r in records.values() if "continued" not in r)
    about = [r["continued"] | {"step": 0} for r in records.values() if "continued" in r]
    assert about == [{"sweep": "on", "cell": trunk["cell"]["name"], "hash": trunk["cell"]["hash"], "step": 0}] * 2
    assert not list(gansweep.folder.glob("outputs/on/*/branch_*"))
    del steps[:]
    typed(*COOLDOWNS, *more, "name=off", "branch=off")
    assert len(steps) == 3 * STEPS
    assert numbers(gansweep.records("off")) == numbers(records)
    assert "continued" not in json.dumps(list(gansweep.records("off").values()))


def test_the_text_of_the_plan(typed):
    plan = typed(*COOLDOWNS, "seed=0,1", "plan=true").out
    assert plan.count("new, branches from step 37 of 60") == 2
    assert "4 cells will branch from other cells, which saves 124 of 360 steps (34%) (branch=auto)" in plan


@pytest.mark.parametrize(
    "more",
    [
        ["branch=off"],
        ["race=steps", "seed=0,1"],  # drops a cell at one of its own evaluations
        ["logger=csv"],  # its file would lack the first steps
        ["schedule.cooldown=45,50,60"],  # fewer shared steps than the minimum of a branch
    ],
    ids=" ".join,
)
def test_no_branches(typed, more):
    lines = [text for text in COOLDOWNS if text.partition("=")[0] not in {part.partition("=")[0] for part in more}]
    assert "branch" not in typed(*lines, *more, "plan=true").out


@pytest.mark.parametrize("varied", ["lr=1e-3,1e-4", "seed=0,1", "trainer.eval_every=15,30", "optimizer=adam,sgd"])
def test_cells_with_another_difference_do_not_branch(typed, varied):
    assert "branch" not in typed(f"steps={STEPS}", varied, "plan=true").out


def test_another_value_is_refused(typed):
    assert "branch=maybe" in typed(*COOLDOWNS, "branch=maybe", code=2).err


def grid_of(kind):
    """Return a grid with two schedules of a kind, which differ from step 30 on."""
    choice = "schedule=step" if kind == "schedule" else f"schedule@{kind}=step"
    return [
        choice,
        f"{kind}.gamma=0.5",
        f"{kind}.period=30,40",
        f"{kind}.num_drops=null",
        f"steps={STEPS}",
        "critic_steps=4",
    ]


@pytest.mark.parametrize("kind", ["schedule", "schedule_d", "schedule_penalty", "schedule_critic"])
def test_every_kind_of_schedule_is_compared(typed, kind):
    assert [cell["from_step"] for cell in planned(typed, *grid_of(kind))["cells"]] == [None, 30]


@pytest.mark.slow
def test_cells_that_do_not_share_a_pack(gansweep, typed):
    """Cells with different schedules of the critic steps are in different packs."""
    typed(*grid_of("schedule_critic"), "name=on", "pack=2")
    typed(*grid_of("schedule_critic"), "name=off", "branch=off")
    assert continued(gansweep.records("on"), "schedule_critic.period") == {"30": None, "40": 30}
    assert numbers(gansweep.records("on")) == numbers(gansweep.records("off"))


def test_longer_and_shorter_runs_of_one_grid(gansweep, typed):
    """The evaluation after the last step of the shorter run is not one of the longer run."""
    typed("steps=50,40,60", "name=on")
    typed("steps=50,40,60", "name=off", "branch=off")
    assert continued(gansweep.records("on"), "steps") == {"50": None, "40": 39, "60": 49}
    assert numbers(gansweep.records("on")) == numbers(gansweep.records("off"))


@pytest.mark.slow
def test_seeds_auto(gansweep, typed):
    grid = [*COOLDOWNS[:2], "schedule.cooldown=12,24", COOLDOWNS[3], "seeds=auto", "most_seeds=3"]
    typed(*grid, "name=on")
    typed(*grid, "name=off", "branch=off")
    on, off = gansweep.records("on"), gansweep.records("off")
    assert numbers(on) == numbers(off)
    assert [r["continued"]["step"] for r in on.values() if "continued" in r] == [37] * (len(on) // 2)


def test_two_workers(gansweep, typed):
    typed(*COOLDOWNS, "workers=2", "seed=0,1", "name=on")
    typed(*COOLDOWNS, "seed=0,1", "name=off", "branch=off")
    on = gansweep.records("on")
    assert continued(on) == BEGINNINGS
    assert numbers(on) == numbers(gansweep.records("off"))
    assert not list(gansweep.folder.glob("outputs/on/*/branch_*"))


@pytest.mark.slow
def test_the_trunk_fails(gansweep, typed, monkeypatch):
    """The branches begin with its last checkpoint; the failed cell is trained again by the same line."""
    original = TrainingSession.write_outputs

    def write_outputs(session):
        if "cooldown=12" in session.directory.name and session.step == 30:
            raise OSError("the disk is gone")
        original(session)

    with monkeypatch.context() as patched:
        patched.setattr(TrainingSession, "write_outputs", write_outputs)
        typed(*COOLDOWNS, "name=on", "trainer.checkpoint_every=10", code=1)
    assert continued(gansweep.records("on")) == {"12": None, "24": 20, "36": 25}
    assert list(gansweep.folder.glob("outputs/on/*/branch_25"))
    typed(*COOLDOWNS, "name=on", "trainer.checkpoint_every=10")
    typed(*COOLDOWNS, "name=off", "trainer.checkpoint_every=10", "branch=off")
    assert numbers(gansweep.records("on")) == numbers(gansweep.records("off"))
    assert not list(gansweep.folder.glob("outputs/on/*/branch_*"))


def test_the_trunk_diverges(gansweep, typed):
    """Before the branch point all cells diverge in the same step, after it the trunk only."""
    early = [*COOLDOWNS, "lr=1e30"]
    late = ["schedule=piecewise", "schedule.pieces=[[1.0,30],[1e30,30]],[[1.0,35],[1.0,25]]", f"steps={STEPS}"]
    for name, grid in (("early", early), ("late", late)):
        typed(*grid, f"name={name}")
        typed(*grid, f"name={name}_off", "branch=off")
        assert numbers(gansweep.records(name)) == numbers(gansweep.records(f"{name}_off"))
    assert {record["state"] for record in gansweep.records("early").values()} == {"diverged"}
    late = [(r["state"], (r.get("continued") or {}).get("step")) for r in gansweep.records("late").values()]
    assert sorted(late, key=str) == [("completed", 30), ("diverged", None)]


def test_cells_that_are_added_branch_from_unfinished_ones_only(gansweep, typed):
    typed("schedule=wsd", "schedule.warmup=0", "schedule.cooldown=12", f"steps={STEPS}", "seed=0,1", "name=on")
    plan = planned(typed, *COOLDOWNS, "seed=0,1", "name=on")
    assert [cell["from_step"] for cell in plan["cells"]] == [None, None, None, None, 25, 25]
    assert (plan["num_steps"], plan["saved_steps"]) == (4 * STEPS - 50, 50)
    typed(*COOLDOWNS, "seed=0,1", "name=on")
    assert continued(gansweep.records("on")) == {"12": None, "24": None, "36": 25}


def test_a_damaged_branch_point(gansweep, typed, monkeypatch):
    from gansweep.training import branch_point

    original = branch_point.write

    def write(run, directory, step, *more):
        original(run, directory, step, *more)
        file = branch_point.path_of(directory, step) / "checkpoint.pt"
        file.write_bytes(file.read_bytes()[:-100])

    monkeypatch.setattr(branch_point, "write", write)
    typed(*COOLDOWNS, "name=on")
    typed(*COOLDOWNS, "name=off", "branch=off")
    assert continued(gansweep.records("on")) == {"12": None, "24": None, "36": None}
    assert numbers(gansweep.records("on")) == numbers(gansweep.records("off"))


@pytest.mark.slow
def test_the_twelve_schedules_of_coopnets(gansweep, typed, monkeypatch):
    """They differ in the first steps already; four branches are left if one step is enough."""
    tiny = ["experiment=coopnets_table1", "scale=smoke", "steps=12", "trainer.tensorboard=false", "workers=1", "pack=3"]
    tiny += ["device=cpu", "trainer.eval_every=6", "trainer.sample_every=12", "trainer.checkpoint_every=12"]
    plan = json.loads(gansweep("-m", *tiny, "plan=json").out)
    assert (plan["num_steps"], plan["saved_steps"]) == (12 * 12, 0)
    monkeypatch.setattr("gansweep.sweep.branching.MIN_STEPS", 1)
    plan = json.loads(gansweep("-m", *tiny, "plan=json").out)
    assert (plan["num_steps"], plan["saved_steps"]) == (12 * 12 - 4, 4)
    for name, more in (("on", []), ("off", ["branch=off"])):
        assert gansweep("-m", *tiny, f"name={name}", *more).code == 0
    on = gansweep.records("on")
    steps = {
        r["cell"]["overrides"]["experiment"].rpartition("_")[2]: r.get("continued", {}).get("step") for r in on.values()
    }
    assert {number for number, step in steps.items() if step == 1} == {"9", "10", "11", "12"}
    assert numbers(on, "curves") == numbers(gansweep.records("off"), "curves")
