"""A local Amazon IVS (low-latency API 2020-07-14): a WSGI callable over botocore's service model and SQLite."""

from tools.local.ivs.errors import Fault, IvsError
from tools.local.ivs.service import IvsService
from tools.local.ivs.store import IvsStore
from tools.local.ivs.viewers import ViewerRefusedError, viewer_admit

__all__ = ["Fault", "IvsError", "IvsService", "IvsStore", "ViewerRefusedError", "viewer_admit"]
