"""Training algorithms: one file or folder each.

In a folder, `__init__.py` holds the class of conf/algorithm/NAME.yaml and `pack.py` the training step, which follows
the algorithm box of the paper. The other files hold the components of the step.
"""
