"""The audit log: each change with its actor, way and time."""

from common.audit.actors import Actor as Actor
from common.audit.actors import Way as Way
from common.audit.actors import acting as acting
from common.audit.actors import acting_within as acting_within
from common.audit.actors import actor_name as actor_name
from common.audit.actors import actor_operation as actor_operation
from common.audit.actors import actor_setting as actor_setting
from common.audit.actors import audit_note as audit_note
from common.audit.actors import audited as audited
from common.audit.actors import command_acting as command_acting
from common.audit.actors import set_actor as set_actor
from common.audit.actors import with_actor as with_actor
from common.audit.registry import AUDITED as AUDITED
from common.audit.registry import AuditedModel as AuditedModel
