"""The member axis: K trainings side by side, of which none notices the others."""
