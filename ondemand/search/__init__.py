"""Lists and search of videos, read from their index."""
