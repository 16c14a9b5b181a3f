from __future__ import annotations

import signal

import pytest

from gansweep.sweep.stop import Stop


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_stops(number, capsys):
    before = signal.getsignal(number)
    with Stop() as stop:
        assert not stop()
        signal.raise_signal(number)
        assert stop()
        assert "again stops at once" in capsys.readouterr().err
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_a_worker_that_hears_of_it_twice_still_saves(capsys):
    with Stop(quiet=True) as stop:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert stop()
        assert capsys.readouterr().err == ""
