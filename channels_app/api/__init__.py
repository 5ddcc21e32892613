"""The routes of channels and their streams."""
