"""One flow per module: phases that can be run and deployed alone, and `release`, which composes them."""
