"""Evaluation of one run: its metrics on samples of the generator."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor

from gansweep.batched.pack import Pack
from gansweep.formatting import metric_label
from gansweep.interfaces import Dataset, Metric
from gansweep.metrics.degenerate import degenerate
from gansweep.training import events, record
from gansweep.training.run import Run

log = logging.getLogger(__name__)


class Evaluation(NamedTuple):
    """Outcome of an evaluation.

    Args:
        values: measured values by TensorBoard tag.
        is_finite: whether all generated samples are finite; otherwise the run has diverged.
    """

    values: dict[str, float]
    is_finite: bool


class Evaluator:
    """Evaluations of one run: metric, holdout value, second metric, and the value for feedback.

    Each is measured on samples from its own random stream. Evaluations do not affect the streams of the training.

    Args:
        run: the run.

    Attributes:
        evaluations: one entry per evaluation, as in record.json.
        trained_at: training time at every evaluation.
        eval_s: total time of evaluations and diagnoses in seconds.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.evaluations: list[dict[str, Any]] = []
        self.trained_at: list[dict[str, Any]] = []
        self.eval_s = 0.0

    def evaluate(self, pack: Pack, k: int, step: int, trained_s: float) -> Evaluation:
        """Evaluate member k of a pack.

        A new best value is measured again on other latents (holdout, field `apart`): the best of several noisy values
        is biased, the holdout value is not. With `eval_seeds` = m > 1 the holdout value and the value after the last
        step are measured on m draws of latents (fields `apart_draws` and `draws`).

        Args:
            pack: contains the member.
            k: index of the member.
            step: number of finished steps.
            trained_s: training time in seconds so far.
        """
        metric, start = self.run.metric, time.monotonic()
        if metric is None:
            return Evaluation({}, True)
        self.trained_at.append({"step": step, "trained_s": round(trained_s, 3)})
        fake = self.samples(pack, k, metric, "evaluation")
        if fake is None:
            self.evaluations.append({"step": step, "value": None, "reason": "samples are not finite"})
            return Evaluation({}, False)
        value, per_class = value_of(metric, self.run.data, fake)
        evaluation: dict[str, Any] = {"step": step, "value": _finite(value)}
        if per_class is not None:
            evaluation["per_class"] = per_class
        if evaluation["value"] is None:
            evaluation["reason"] = f"{metric.name} is {value}"
            log.warning("step %d: %s", step, evaluation["reason"])
        if step > 0 and record.is_best(value, self.evaluations, metric.lower_is_better):
            self._measure_apart(pack, k, metric, evaluation)
        if step == self.run.steps:
            self._measure_draws(pack, k, metric, evaluation)
        if self.run.metric_2 is not None:
            self._measure_second(pack, k, self.run.metric_2, evaluation)
        measured = pack.measurements(k)
        if measured:
            evaluation["measured"] = finite(measured)
        self.evaluations.append(evaluation)
        self._note_degenerate(fake, evaluation, pack.g.network.ignores_input)
        is_finite = self._update_feedback(pack, k, metric, evaluation)
        self.eval_s += time.monotonic() - start
        log.info("step %d: %s %.4g", step, metric.name, value)
        return Evaluation({f"{events.METRIC}/{metric.name}": value} | self._further_values(evaluation), is_finite)

    def complete(self, pack: Pack, k: int, step: int) -> bool:
        """Complete the evaluation after the last step of a shorter run, for a run that continues from there.

        Args:
            pack: contains the member.
            k: index of the member.
            step: of the evaluation; without an evaluation at this step nothing is done.

        Returns:
            Whether the samples for the feedback are finite; otherwise the run has diverged.
        """
        metric = self.run.metric
        if metric is None or not self.evaluations or self.evaluations[-1]["step"] != step:
            return True
        *earlier, evaluation = self.evaluations
        value, needed = evaluation["value"], "apart_draws" if self.run.eval_seeds > 1 else "apart"
        if value is not None and needed not in evaluation and record.is_best(value, earlier, metric.lower_is_better):
            self._measure_apart(pack, k, metric, evaluation)
        if step == self.run.steps and "draws" not in evaluation:
            self._measure_draws(pack, k, metric, evaluation)
        return "heard" in evaluation or self._update_feedback(pack, k, metric, evaluation)

    def dropped(self, limits: Mapping[int, float], step: int) -> dict[str, Any] | None:
        """Return the field `dropped` of the record if the evaluation at a step is worse than its limit, else None.

        Args:
            limits: worst values of the metric by step; steps without a limit are not in it.
            step: of the run.
        """
        metric, newest, limit = self.run.metric, (self.evaluations or [{}])[-1], limits.get(step)
        value = newest.get("value")
        if metric is None or limit is None or value is None or newest["step"] != step:
            return None
        if (value <= limit) if metric.lower_is_better else (value >= limit):
            return None
        log.info("dropped at step %d: %s %.4g, limit %.4g", step, metric.name, value, limit)
        return {"by": "race=steps", "step": step, "value": value, "limit": limit}

    def _measure_second(self, pack: Pack, k: int, metric: Metric, evaluation: dict[str, Any]) -> None:
        """Add the value of the second metric, and its values of single classes."""
        fake, value, per_class = self.samples(pack, k, metric, "evaluation"), math.nan, None
        if fake is not None:
            value, per_class = value_of(metric, self.run.data, fake)
        evaluation["value_2"] = _finite(value)
        if per_class is not None:
            evaluation["per_class_2"] = per_class
        if evaluation["value_2"] is None:
            evaluation["reason_2"] = f"{metric.name} is not finite"

    def _measure_apart(self, pack: Pack, k: int, metric: Metric, evaluation: dict[str, Any]) -> None:
        """Add the holdout value of a best value, and its further draws."""
        evaluation["apart"] = self._measure(pack, k, metric, "evaluation apart")
        if self.run.eval_seeds > 1:
            evaluation["apart_draws"] = [evaluation["apart"], *self._further(pack, k, metric, "evaluation apart")]

    def _measure_draws(self, pack: Pack, k: int, metric: Metric, evaluation: dict[str, Any]) -> None:
        """Add the further draws of the value after the last step."""
        if self.run.eval_seeds > 1:
            evaluation["draws"] = [evaluation["value"], *self._further(pack, k, metric, "evaluation")]

    def _further(self, pack: Pack, k: int, metric: Metric, stream: str) -> list[float | None]:
        return [self._measure(pack, k, metric, f"{stream} {n}") for n in range(1, self.run.eval_seeds)]

    def newest(self) -> str:
        """Return the newest metric value as text, "" if there is none."""
        if not self.evaluations or self.run.metric is None or self.evaluations[-1]["value"] is None:
            return ""
        return f"{metric_label(self.run.metric.name)} {self.evaluations[-1]['value']:.4g}"

    def summary(self, unfinished: bool) -> dict[str, Any]:
        """Return the fields `metric` and, with a second metric, `metric_2` of the record.

        `unfinished`: the run has diverged or was dropped, and has no final value.
        """
        run = self.run
        if run.metric is None:
            return {"metric": None}
        metric = self._metric_field(run.metric, self.evaluations, unfinished)
        content: dict[str, Any] = {"metric": metric | {"evaluations": self.evaluations}}
        if run.metric_2 is not None:
            values = [{"step": e["step"], "value": e.get("value_2")} for e in self.evaluations]
            content["metric_2"] = self._metric_field(run.metric_2, values, unfinished)
        return content

    def _metric_field(
        self, metric: Metric, evaluations: Sequence[Mapping[str, Any]], unfinished: bool
    ) -> dict[str, Any]:
        """Return name, fingerprint, floor and values of a metric. An unfinished run has no final value."""
        floor = getattr(metric, "floor", None)
        content = {
            "name": metric.name,
            "fingerprint": metric.fingerprint(self.run.data),
            "generator": "raw" if self.run.member.ema is None else "ema",
            "lower_is_better": metric.lower_is_better,
            "floor": floor(self.run.data) if floor else None,
        } | record.summary(evaluations, metric.lower_is_better)
        return content | ({"final": None, "final_step": None} if unfinished else {})

    def _measure(self, pack: Pack, k: int, metric: Metric, stream: str) -> float | None:
        """Return a metric on samples from a stream, None if the samples or the value are not finite."""
        fake = self.samples(pack, k, metric, stream)
        return None if fake is None else _finite(float(metric(self.run.data, fake)))

    def _update_feedback(self, pack: Pack, k: int, metric: Metric, evaluation: dict[str, Any]) -> bool:
        """Update the member's feedback, if it monitors the metric; return whether the samples are finite.

        The value is measured on other latents than the reported one.
        """
        if not self.run.monitors_metric or evaluation["step"] >= self.run.steps:
            return True
        fake = self.samples(pack, k, metric, "feedback")
        if fake is None:
            return False
        value = float(metric(self.run.data, fake))
        pack.update_feedback(k, value, metric.lower_is_better)
        evaluation["heard"] = _finite(value)
        return True

    def _note_degenerate(self, fake: Tensor, evaluation: dict[str, Any], ignores_input: bool) -> None:
        """Record degenerate samples, and warn once about those of a trained generator, unless the data are alike."""
        description = degenerate(fake)
        if description is None:
            return
        evaluation["degenerate"] = description
        earlier = [other.get("degenerate") for other in self.evaluations[:-1] if other["step"] > 0]
        expected = ignores_input or degenerate(self.run.data.samples[: len(fake)]) == description
        if evaluation["step"] > 0 and description not in earlier and not expected:
            log.warning("step %d: %s", evaluation["step"], description)

    def samples(self, pack: Pack, k: int, metric: Metric, stream: str) -> Tensor | None:
        """Return the samples that a metric needs, from the latents of a stream; None if some are not finite."""
        labels = getattr(metric, "labels", None)
        if labels is None:
            fake = pack.generate(k, metric.num_samples, stream)
        else:
            fake = pack.generate_classes(k, labels(self.run.data), stream)
        return fake if bool(fake.isfinite().all()) else None

    def _further_values(self, evaluation: Mapping[str, Any]) -> dict[str, float]:
        """Return the values of an evaluation other than the metric by tag."""
        values = {f"measured/{name}": value for name, value in evaluation.get("measured", {}).items()}
        if self.run.metric_2 is not None:
            values[f"{events.METRIC}/{self.run.metric_2.name}"] = evaluation["value_2"]
        return {tag: value for tag, value in values.items() if value is not None}


def value_of(metric: Metric, data: Dataset, fake: Tensor) -> tuple[float, list[float | None] | None]:
    """Return the value of a metric on samples, and its values of the single classes, None if it has none.

    The value of a metric with the method `per_class` is the mean over the classes.
    """
    per_class = getattr(metric, "per_class", None)
    if per_class is None:
        return float(metric(data, fake)), None
    values = [float(value) for value in per_class(data, fake)]
    return sum(values) / len(values), [_finite(value) for value in values]


def finite(values: Mapping[str, float]) -> dict[str, float | None]:
    """Return values by name, None for those that are not finite."""
    return {name: _finite(value) for name, value in values.items()}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
