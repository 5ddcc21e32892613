"""`make bench`: what pages take on a large catalogue, as ratios to what they take on a small one, in one run."""
