"""REST building blocks that know no model: the lowest layer, which imports nothing of this project."""
