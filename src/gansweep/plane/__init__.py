"""Pictures of sweeps on points in the plane."""
