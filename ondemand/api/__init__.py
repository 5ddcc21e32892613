"""The routes of videos, their tags, and the streams that they belong to."""
