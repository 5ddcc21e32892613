"""A local Amazon IVS (low-latency API 2020-07-14): a WSGI callable over botocore's service model and SQLite."""

from ivsvod.local.ivs.errors import Fault, IvsError
from ivsvod.local.ivs.service import IvsService
from ivsvod.local.ivs.store import IvsStore
from ivsvod.local.ivs.viewers import ViewerRefusedError, viewer_admit

__all__ = ["Fault", "IvsError", "IvsService", "IvsStore", "ViewerRefusedError", "viewer_admit"]
