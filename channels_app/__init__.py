"""Channels, live state, the event inbox, and all access to AWS."""
