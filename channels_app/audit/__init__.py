"""The audit log: each change with its actor, way and time."""

from channels_app.audit.actors import Actor as Actor
from channels_app.audit.actors import Way as Way
from channels_app.audit.actors import acting as acting
from channels_app.audit.actors import acting_within as acting_within
from channels_app.audit.actors import actor_name as actor_name
from channels_app.audit.actors import actor_operation as actor_operation
from channels_app.audit.actors import actor_setting as actor_setting
from channels_app.audit.actors import audit_note as audit_note
from channels_app.audit.actors import audited as audited
from channels_app.audit.actors import command_acting as command_acting
from channels_app.audit.actors import set_actor as set_actor
from channels_app.audit.actors import with_actor as with_actor
