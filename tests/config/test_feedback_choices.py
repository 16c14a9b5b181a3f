"""Choice of feedback: which player gets it, its part in the identity, and what is refused."""

from __future__ import annotations

import pytest
from tests.config.test_build_conf import composed

from gansweep.config.build import build, check
from gansweep.sweep.identity import digest, identity


def hash_of(*overrides):
    checked = check(composed(*overrides))
    assert checked.problems == []
    return digest(identity(checked.config, "data", "1"))


def told(*overrides):
    return [str(problem) for problem in check(composed(*overrides)).problems]


def monitors(*overrides):
    member = build(composed(*overrides, "device=cpu")).member
    return [getattr(player.feedback, "monitors", None) for player in (member.generator, member.discriminator)]


OWN = "feedback@feedback_d"


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], [None, None]),
        (["feedback=none"], [None, None]),
        (["feedback=plateau"], ["metric", "metric"]),
        (["feedback=gap_aware"], [None, "game"]),
        (["feedback=plateau", f"{OWN}=gap_aware"], ["metric", "game"]),
        (["feedback=plateau", f"{OWN}=none"], ["metric", "nothing"]),
        (["feedback=none", f"{OWN}=plateau"], [None, "metric"]),
    ],
)
def test_both_players_unless_the_discriminator_has_its_own(overrides, expected):
    assert monitors(*overrides) == expected


@pytest.mark.parametrize(
    "spellings",
    [
        [[], ["feedback=none"], [f"{OWN}=none"], ["feedback=none", f"{OWN}=none"]],
        [["feedback=plateau"], ["feedback=plateau", f"{OWN}=plateau"]],
        [["feedback=gap_aware"], [f"{OWN}=gap_aware"], ["feedback=none", f"{OWN}=gap_aware"]],
        [["feedback=plateau", f"{OWN}=none"]],
        [[f"{OWN}=plateau"]],
        [["feedback=plateau", "feedback.patience=3"]],
    ],
)
def test_equal_trainings_have_one_identity_and_others_another(spellings):
    hashes = {hash_of(*overrides) for overrides in spellings}
    assert len(hashes) == 1
    assert (hash_of() in hashes) == ([] in spellings)
    assert (hash_of("feedback=plateau") in hashes) == (["feedback=plateau"] in spellings)


def test_the_identity_without_feedback_is_that_of_earlier_versions():
    config = check(composed("feedback=none", f"{OWN}=none")).config
    assert not [key for key in config if "feedback" in key]
    assert not [key for key in identity(config, "data", "1")["config"] if "feedback" in key]


def test_normalising_feedback_twice_changes_nothing():
    once = check(composed("feedback=gap_aware")).config
    assert check(once).config == once
    assert "feedback" not in once


def test_a_plateau_needs_a_metric():
    (text,) = told("feedback=plateau", "~metric")
    assert text.startswith("feedback=Plateau(")
    assert "metric=..." in text
    (text,) = told(f"{OWN}=plateau", "~metric")
    assert text.startswith("feedback_d=Plateau(")
    assert told("feedback=gap_aware", "~metric") == []


def test_a_critic_needs_a_scale_under_the_name_that_was_typed():
    (text,) = told("feedback=gap_aware", "loss=wgan_gp")
    assert text.startswith("feedback.x_min=null: ")
    assert "x_min and x_max" in text
    (text,) = told(f"{OWN}=gap_aware", "loss=wgan_gp")
    assert text.startswith("feedback_d.x_min=null: ")
    assert told("feedback=gap_aware", "loss=wgan_gp", "feedback.x_min=1", "feedback.x_max=2") == []


def test_the_discriminator_has_one_feedback():
    (text,) = told("feedback=gap_aware", f"{OWN}=plateau")
    assert text.startswith("feedback=GapAware(")
    assert "feedback_d=Plateau(" in text
    assert "one of them" in text
