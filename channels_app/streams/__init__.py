"""Streams: the live-state file, history, timeline and chart."""
