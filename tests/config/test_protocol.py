"""Asking whether something is a data set must not read it."""

from __future__ import annotations

from gansweep.config.protocol import keeps
from gansweep.interfaces import Dataset, Metric


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
    assert keeps(Unreadable(), Dataset)


def test_what_lacks_a_part_does_not_keep_the_protocol():
    assert not keeps(Unreadable(), Metric)
    assert not keeps(object(), Dataset)
    assert not keeps(3, str)
