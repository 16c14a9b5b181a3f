"""The committed entries are consistent with their tracks; one of each track is also checked against the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from gansweep.track.__main__ import main
from gansweep.track.entry import Entry
from gansweep.track.track import Track

TRACKS = Path(__file__).parents[2] / "tracks"
FILES = sorted(TRACKS.glob("*/*.json"))
WITHOUT_DATA = ("digits", "ring")  # tracks whose data need no download


@pytest.mark.parametrize("track", sorted({file.parent.name for file in FILES}))
def test_entries_are_of_the_present_track_and_have_all_judging_seeds(track):
    present = Track.load(track)
    for file in FILES:
        if file.parent.name == track:
            entry = Entry.read(file)
            assert entry.fingerprint == present.fingerprint, file.name
            assert set(entry.times) == set(present.judging_seeds), file.name


@pytest.mark.parametrize("track", WITHOUT_DATA)
def test_an_entry_of_each_track_passes_the_static_checks(track, capsys):
    file = next(file for file in FILES if file.parent.name == track)
    assert main(["verify", str(file), "--static"]) == 0, capsys.readouterr()


@pytest.mark.slow
@pytest.mark.parametrize(
    "file", [file for file in FILES if file.parent.name in WITHOUT_DATA], ids=lambda file: file.stem
)
def test_every_entry_passes_the_static_checks(file, capsys):
    assert main(["verify", str(file), "--static"]) == 0, capsys.readouterr()
