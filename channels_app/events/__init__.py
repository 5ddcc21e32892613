"""The road of an event: into the inbox, through its handler, and again where that is needed."""
