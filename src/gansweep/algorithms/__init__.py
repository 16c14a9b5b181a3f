"""Training algorithms, one folder each.

`settings.py` holds the class of conf/algorithm/NAME.yaml, `pack.py` the training step, which follows the algorithm
box of the paper. The other files hold the components of the step.
"""
