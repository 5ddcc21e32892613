"""Delivery of recordings: signed URLs, playlists and grants."""
