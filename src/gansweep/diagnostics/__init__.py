"""Diagnostics of the game's vector field, one quantity per file. Depends on torch and numpy only."""
