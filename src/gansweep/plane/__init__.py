"""Pictures of sweeps on points in the plane. They need matplotlib: pip install gansweep[pictures]."""
