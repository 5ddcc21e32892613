"""The models whose changes the audit log shows; each app registers its own in `apps.py`."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True)
class AuditedModel:
    """A model in the audit log.

    `masked` are the fields whose values only callers with the scope `curate` see. `names` returns display names by
    primary key, for entries without a stored one.
    """

    label: str | Promise
    masked: Collection[str] = ()
    names: Callable[[list[str]], Mapping[str, str]] = lambda pks: {}


# By the label of the model in lower case, as `ondemand.video`.
AUDITED: dict[str, AuditedModel] = {}
