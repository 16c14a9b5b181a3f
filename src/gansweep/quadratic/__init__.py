"""Ill-conditioned 2D quadratic, with optimizer trajectories in closed form."""
