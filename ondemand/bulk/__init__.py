"""Bulk changes of videos: chosen once, changed in committed batches, and undone from the audit log."""
