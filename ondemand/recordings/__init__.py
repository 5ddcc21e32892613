"""Recordings: what IVS wrote of them, and whether they play."""
