"""What production never runs: the local stack, the benchmark, and the writer of `openapi.json`."""
