"""SQL that runs in the database, and helpers that build SQL."""
