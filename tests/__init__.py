"""A regular package: an installed package of the name `tests`, as torch-fidelity has one, would shadow a namespace."""
