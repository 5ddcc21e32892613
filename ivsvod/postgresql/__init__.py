"""Django's PostgreSQL backend, with errors that tell an operator what to do."""
