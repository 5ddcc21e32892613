"""The admin as a whole: what it is called, and its start page."""
