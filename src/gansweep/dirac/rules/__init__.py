"""What an optimizer makes of a player's gradient, in numpy, for any number of games at once."""
