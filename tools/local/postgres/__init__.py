"""The embedded PostgreSQL: one server for each home; its first user starts it and its last user stops it."""

from tools.local.postgres.programs import PostgresUnavailable, wheel_bin_dir
from tools.local.postgres.server import Server, ServerFolder, start, stop, use

__all__ = ["PostgresUnavailable", "Server", "ServerFolder", "start", "stop", "use", "wheel_bin_dir"]
