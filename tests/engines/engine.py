"""The command line in separate processes, as on a cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
TINY = (
    "-m",
    "data=ring",
    "data.num_samples=200",
    "metric=wasserstein1",
    "metric.num_samples=32",
    "model.latent_dim=2",
    "model.generator_widths=[8]",
    "model.discriminator_widths=[8]",
    "batch_size=16",
    "steps=10",
    "trainer.eval_every=5",
    "trainer.checkpoint_every=3",
    "trainer.tensorboard=false",
    "device=cpu",
)
# Two that are completed and two that diverge.
GRID = ("optimizer=adam,sgd", "lr=1e-3,1e30")
LIMIT_S = 600


@dataclass(frozen=True)
class Engine:
    """One of Hydra's launchers.

    Args:
        folder: where commands are typed.
        overrides: choose the launcher.
    """

    folder: Path
    overrides: tuple[str, ...]

    def __call__(self, *more: str, code: int = 0) -> str:
        """Run a command and return its output."""
        return self._typed([*more, *self.overrides], code)

    def here(self, *more: str, code: int = 0) -> str:
        """Run it without the launcher."""
        return self._typed(list(more), code)

    def _typed(self, more: list[str], code: int) -> str:
        paths = [str(TESTS.parent / "src"), str(TESTS / "faults"), *filter(None, [os.environ.get("PYTHONPATH")])]
        answer = subprocess.run(
            [sys.executable, "-m", "gansweep", *TINY, *more],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=LIMIT_S,
        )
        assert answer.returncode == code, answer.stdout
        return answer.stdout

    def records(self, sweep: str) -> dict[str, dict]:
        """Return the records of a sweep by cell, without times and the sizes of packs."""
        found = {}
        for path in sorted((self.folder / "outputs" / sweep).glob("*/record.json")):
            record = json.loads(path.read_text())
            found[path.parent.name] = {
                key: record[key] for key in ("state", "identity", "steps", "metric", "divergence", "seeds", "cell")
            }
        return found

    def states(self, sweep: str) -> dict[str, str]:
        """Return the states of the cells of `failures`."""
        return {
            record["identity"]["config"]["optimizer"]["how"]: record["state"] for record in self.records(sweep).values()
        }

    def failures(self, *ways: str) -> tuple[str, ...]:
        """Prepare an optimizer that fails in several ways, and return the grid with one that does not fail."""
        (self.folder / "conf/optimizer").mkdir(parents=True)
        (self.folder / "conf/optimizer/failing.yaml").write_text(
            f"_target_: failing_rule.Failing\nhow: not_at_all\nfolder: {self.folder}\n"
        )
        self.break_it()
        chosen = ",".join((*ways, "not_at_all"))
        return "--config-dir", "conf", "allow=[failing_rule]", "optimizer=failing", f"optimizer.how={chosen}"

    def break_it(self) -> None:
        """Make the optimizer fail."""
        (self.folder / "broken").touch()

    def mend_it(self) -> None:
        """Make it work."""
        (self.folder / "broken").unlink()


def assert_same_cells(engine: Engine) -> None:
    """Check that the cells equal those of this process in names and numbers, and run once."""
    engine.here(*GRID, "name=here")
    text = engine(*GRID, "name=there")
    assert "diverged at step" in text
    there = engine.records("there")
    assert len(there) == 4
    assert there == engine.records("here")
    before = {path: path.stat().st_mtime_ns for path in engine.folder.glob("outputs/there/*/record.json")}
    engine(*GRID, "name=there")
    assert before == {path: path.stat().st_mtime_ns for path in engine.folder.glob("outputs/there/*/record.json")}


def assert_failures_stay_alone(engine: Engine, *ways: str, killed: bool) -> None:
    """Check that a failed cell is recorded and tried again, and that the others run.

    Args:
        engine: to run on.
        ways: to fail that leave a record.
        killed: whether the engine survives a job that is killed.
    """
    grid = engine.failures(*ways, *(["by_being_killed"] if killed else []))
    text = engine(*grid, "name=s", code=1)
    assert engine.states("s") == {**dict.fromkeys(ways, "failed"), "not_at_all": "completed"}, text
    assert "| optimizer.how" in text
    engine.mend_it()
    engine(*grid, "name=s")
    assert set(engine.states("s").values()) == {"completed"}


def assert_packs(engine: Engine, name: str) -> None:
    """Check that two tasks of the engine train packs with equal results."""
    assert_same_cells(engine)
    records = [json.loads(path.read_text()) for path in engine.folder.glob("outputs/there/*/record.json")]
    assert {record["pack"]["tasks"] for record in records} == {2}
    text = engine("optimizer=adam", "seed=0,1,2,3", "name=four", "pack=2")
    assert f"2 tasks of {name} train this sweep" in text
    pairs = [json.loads(path.read_text()) for path in engine.folder.glob("outputs/four/*/record.json")]
    assert len(pairs) == 4
    assert max(record["pack"]["members"] for record in pairs) == 2
