"""The admin site and its start page."""
