"""The local stack: PostgreSQL, IVS, S3 and an encoder on one machine, with no AWS account."""
