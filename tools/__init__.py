"""Tools for development, never in production: the local stack, the benchmark, and the writer of `openapi.json`."""
