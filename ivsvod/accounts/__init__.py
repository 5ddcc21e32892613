"""Staff and service accounts, and their API tokens."""
