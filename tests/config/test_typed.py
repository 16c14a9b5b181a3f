"""Values converted to annotated types; structural checks that evaluate no property."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pytest

from gansweep.config.typed import Misfit, conforms, describe, fit
from gansweep.interfaces import Dataset, Metric, Schedule
from gansweep.schedules.constant import Constant


@pytest.mark.parametrize(
    ("value", "annotation", "expected"),
    [
        (1e3, int, 1000),
        (3, float, 3.0),
        (None, float | None, None),
        (2, float | None, 2.0),
        (2, int | float, 2),
        (2.0, int | float, 2.0),
        ([0, 1], tuple[float, float], [0.0, 1.0]),
        ([1.0, 2.0], tuple[int, ...], [1, 2]),
        ([[1, 2]], Sequence[Sequence[float]], [[1.0, 2.0]]),
        ({"a": 1}, Mapping[str, float], {"a": 1.0}),
        ("bf16", Literal["fp32", "bf16"], "bf16"),
        (7, Any, 7),
    ],
)
def test_a_number_is_converted_to_its_type(value, annotation, expected):
    fitted = fit(value, annotation)
    assert repr(fitted) == repr(expected)


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        (True, int),
        (True, float),
        (1, bool),
        ("1", int),
        (1.5, int),
        (float("inf"), int),
        (float("nan"), int),
        (1, str),
        (None, float),
        ("ab", Sequence[str]),
        ("ab", list[str]),
        ([0.5], tuple[float, float]),
        (["a"], tuple[float, ...]),
        ({"a": "b"}, Mapping[str, float]),
        ([1], Mapping[str, float]),
        ("fp16", Literal["fp32", "bf16"]),
        (3, Schedule),
        (float("inf"), float),
        (float("nan"), float | None),
        (10**400, float),
        (2**63, int),
        (1e30, int),
        ([1.0, -float("inf")], tuple[float, float]),
        ({"eps": float("inf")}, Mapping[str, Any]),
        ({"betas": [0.9, float("nan")]}, Mapping[str, Any]),
    ],
)
def test_values_of_another_type_are_refused(value, annotation):
    with pytest.raises(Misfit, match="expected"):
        fit(value, annotation)


def test_an_object_fits_the_protocol_that_it_conforms_to():
    assert fit(Constant(), Schedule) == Constant()


def test_types_are_named_in_words():
    assert describe(Sequence[float]) == "a list, each a number"
    assert describe(Literal["a", "b"]) == "one of a, b"


class Unreadable:
    name = "unreadable"
    sample_shape = (1, 8, 8)

    @property
    def samples(self):
        raise FileNotFoundError("was read")

    content_hash = samples

    def check(self):
        return None


def test_properties_are_not_evaluated():
    assert conforms(Unreadable(), Dataset)


def test_an_object_without_an_attribute_does_not_keep_the_protocol():
    assert not conforms(Unreadable(), Metric)
    assert not conforms(object(), Dataset)
    assert not conforms(3, str)
