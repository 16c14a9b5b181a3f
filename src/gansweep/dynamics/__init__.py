"""How both players' gradients become a step of the game, one way a file."""
