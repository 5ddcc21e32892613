"""Django's PostgreSQL backend, with errors that say how to fix their cause."""
