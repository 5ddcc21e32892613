"""Template filters of the catalogue page."""
