"""Statistics over configurations trained with several seeds: pure functions of numbers.

A diverged run has no value and is passed as NaN. NaN is counted and ranked as worst, and never averaged. Runs that
have not been made and runs that raised an error are not passed.
"""
