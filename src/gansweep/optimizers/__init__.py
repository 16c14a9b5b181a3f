"""How a gradient moves a row of parameters, one update rule a file."""
