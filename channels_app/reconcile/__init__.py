"""What the database says, against what Amazon IVS says; S3's part is in `ondemand/reconcile/`.

A phase finds differences by comparing what is known, and says of each what would mend it; `walking.py` goes through the
phases, mends where it is told to, and `running.py` does that under a lease.
"""
