"""Image corruptions: none, salt-and-pepper noise, Gaussian noise, Gaussian blur, and masked squares."""
