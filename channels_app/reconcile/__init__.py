"""Compare the database with Amazon IVS, and repair it; `ondemand/reconcile/` compares it with S3.

A phase yields differences, each with its repair. `runner.py` walks the phases under a lease and, with `apply`, repairs.
"""
