"""`make bench`: the time of each page on a large catalogue as a ratio to its time on a small one, in one run."""
