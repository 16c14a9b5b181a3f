"""The command line: Hydra's side of gansweep. Nothing here imports torch before it is needed."""
