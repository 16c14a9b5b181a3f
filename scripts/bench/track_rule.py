"""Error rate and power of the rule of the GAN Track, by simulation; docs/records/track_rule.md.

    python scripts/bench/track_rule.py --entries 10000 --power 400

Times to the target are drawn, not trained. The rule is that of conf/track: 20 seeds, a score at 95 % confidence, a
record at level 0.01.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from gansweep.formatting import markdown
from gansweep.track.rule import Times, futility, is_record, stages

SEEDS = range(20)
RULE: dict[str, Any] = {"seeds": SEEDS, "level": 0.01, "confidence": 0.95}
FACTORS = np.arange(1.0, 0.39, -0.05)
Draw = Callable[[np.random.Generator, float, np.ndarray], np.ndarray]


def lognormal(spread: float) -> Draw:
    """Return a distribution with median 300 steps."""
    return lambda rng, factor, _: factor * 300 * np.exp(rng.normal(0, spread, len(SEEDS)))


def same_seeds(rng: np.random.Generator, factor: float, effects: np.ndarray) -> np.ndarray:
    """Draw times that the seeds determine for the most part."""
    return factor * 300 * np.exp(0.3 * effects + rng.normal(0, 0.1, len(SEEDS)))


def heavy(rng: np.random.Generator, factor: float, _: np.ndarray) -> np.ndarray:
    """Draw times without a mean."""
    return factor * 150 * (1 + rng.pareto(0.8, len(SEEDS)))


def failing(rng: np.random.Generator, factor: float, _: np.ndarray) -> np.ndarray:
    """Draw times of which 20 % are infinite."""
    times = factor * 300 * np.exp(rng.normal(0, 0.3, len(SEEDS)))
    return np.where(rng.random(len(SEEDS)) < 0.2, np.inf, times)


class Case(NamedTuple):
    """Distribution of times, evaluated every `every` steps up to `steps`."""

    draw: Draw
    every: int = 25
    steps: float = 800

    def times(self, rng: np.random.Generator, factor: float = 1.0, effects: np.ndarray | None = None) -> Times:
        """Return times of an entry; `factor` scales them."""
        exact = self.draw(rng, factor, np.zeros(len(SEEDS)) if effects is None else effects)
        with np.errstate(invalid="ignore"):
            steps = np.ceil(exact / self.every) * self.every
        return dict(enumerate(np.where(steps > self.steps, np.inf, steps).tolist()))


CASES: Mapping[str, Case] = {
    "lognormal, spread 0.3": Case(lognormal(0.3)),
    "lognormal, spread 0.1": Case(lognormal(0.1)),
    "many ties: 4 evaluations": Case(lognormal(0.3), every=200),
    "20 % never at the target": Case(failing),
    "heavy tails (Pareto 0.8)": Case(heavy, steps=np.inf),
    "times given by the seeds": Case(same_seeds),
}


class Rates(NamedTuple):
    """Shares of null entries: records against a fresh record; in sequence; in sequence with early stops."""

    fresh: float
    in_sequence: float
    stopped: float
    seeds: float  # mean number of seeds that are trained with early stops


def null_rates(case: Case, entries: int, rng: np.random.Generator) -> Rates:
    """Return how often entries with the distribution of the record become the record."""
    effects = rng.normal(size=len(SEEDS))
    fresh = sum(
        is_record(case.times(rng, effects=effects), case.times(rng, effects=effects), **RULE) for _ in range(entries)
    )
    record, in_sequence = case.times(rng, effects=effects), 0
    other, stopped, seeds = record, 0, 0
    for _ in range(entries):
        times = case.times(rng, effects=effects)
        if is_record(times, record, **RULE):
            record, in_sequence = times, in_sequence + 1
        trained = num_trained(times, other)
        seeds += trained
        if trained == len(SEEDS) and is_record(times, other, **RULE):
            other, stopped = times, stopped + 1
    return Rates(fresh / entries, in_sequence / entries, stopped / entries, seeds / entries)


def num_trained(times: Times, record: Times) -> int:
    """Return how many seeds `gansweep track try --seeds auto` trains."""
    for num in stages(len(SEEDS)):
        if futility({seed: times[seed] for seed in range(num)}, record, **RULE):
            return num
    return len(SEEDS)


def power(case: Case, entries: int, rng: np.random.Generator) -> Iterator[tuple[float, float, float]]:
    """Yield a factor of the times, and how often such entries become the record, without and with early stops."""
    for factor in FACTORS:
        records = stopped = 0
        for _ in range(entries):
            effects = rng.normal(size=len(SEEDS))
            record, times = case.times(rng, effects=effects), case.times(rng, float(factor), effects)
            if is_record(times, record, **RULE):
                records += 1
                stopped += num_trained(times, record) == len(SEEDS)
        yield float(factor), records / entries, stopped / entries


def factor_at(share: float, curve: list[tuple[float, float]]) -> str:
    """Return the largest factor at which the power is `share`, by linear interpolation."""
    for (factor, low), (next_factor, high) in itertools.pairwise(curve):
        if low < share <= high:
            return f"{factor + (next_factor - factor) * (share - low) / (high - low):.2f}"
    return f"< {curve[-1][0]:.2f}"


def best_of(case: Case, tries: int, entries: int, rng: np.random.Generator) -> tuple[float, float]:
    """Return how often one of several null entries becomes the record, and how often that holds with new seeds."""
    records = holds = 0
    for _ in range(entries):
        record = case.times(rng)
        if any(is_record(case.times(rng), record, **RULE) for _ in range(tries)):
            records += 1
            holds += is_record(case.times(rng), case.times(rng), **RULE)
    return records / entries, holds / max(records, 1)


def other_spread(spread: float, entries: int, rng: np.random.Generator) -> float:
    """Return how often entries with the median of the record, but another spread than its 0.3, become the record."""
    record, entry = Case(lognormal(0.3)), Case(lognormal(spread))
    return sum(is_record(entry.times(rng), record.times(rng), **RULE) for _ in range(entries)) / entries


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--entries", type=int, default=10_000, help="null entries of each case")
    parser.add_argument("--power", type=int, default=400, help="entries for each factor")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    rows = []
    for name, case in CASES.items():
        rates = null_rates(case, options.entries, rng)
        rows.append([name, *(f"{100 * rate:.2f} %" for rate in rates[:3]), f"{rates.seeds:.1f}"])
    head = ["times", "fresh record", "in sequence", "in sequence, early stops", "seeds trained"]
    print(markdown(head, rows), end="\n\n", flush=True)
    rows = []
    for name, case in CASES.items():
        curve = list(power(case, options.power, rng))
        plain, stopped = ([(row[0], row[n]) for row in curve] for n in (1, 2))
        shares = [f"{100 * dict(plain)[factor]:.0f} %" for factor in FACTORS[[2, 4, 6]]]
        rows.append([name, factor_at(0.8, plain), factor_at(0.8, stopped), *shares])
    head = ["times", "factor at 80 %", "with early stops", *(f"power at {f:.1f}" for f in FACTORS[[2, 4, 6]])]
    print(markdown(head, rows), end="\n\n", flush=True)
    case = CASES["lognormal, spread 0.3"]
    rows = []
    for tries in (1, 5, 10, 25):
        rate, holds = best_of(case, tries, options.entries // 5, rng)
        rows.append([str(tries), f"{100 * rate:.1f} %", f"{100 * holds:.1f} %"])
    print(
        markdown(["entries tried on the judging seeds", "one is a record", "of these, with new seeds"], rows),
        end="\n\n",
    )
    rows = [[f"{s:g}", f"{100 * other_spread(s, options.entries, rng):.1f} %"] for s in (0.6, 0.3, 0.15, 0.05)]
    print(markdown(["spread of the entry", "a record"], rows))


if __name__ == "__main__":
    main()
