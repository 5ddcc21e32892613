"""What is shown of streams: the live state file, their history and timeline."""
