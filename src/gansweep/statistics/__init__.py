"""What can be said about settings that were each trained from several seeds. Pure functions of numbers.

A value that does not exist, because its run diverged, is NaN. It is counted and ranked as worst, and never averaged.
A run that has not been made, or that raised, is no part of the numbers.
"""
