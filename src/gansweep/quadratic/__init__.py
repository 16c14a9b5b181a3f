"""An ill-conditioned bowl, on which the paths of optimizers are known in closed form."""
