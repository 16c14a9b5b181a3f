"""Ways to spoil images: clean, salt and pepper, Gaussian noise, blur, knocked out squares."""
