"""The triggers that write the audit log: one entry for each row that a statement changed, in its transaction."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from channels_app.derivation import pinned

# A field that begins with it is secret: that it changed is told, and nothing else.
SECRET = "!"  # noqa: S105
_OLD, _NEW = "REFERENCING OLD TABLE AS old_rows", "NEW TABLE AS new_rows"
_REFERENCING = {
    "insert": f"REFERENCING {_NEW}",
    "update": f"{_OLD} {_NEW}",
    "delete": _OLD,
}

# Who acts is what `actors.py` has set; nobody is another program: the predecessor, or a person with psql. The way
# `none` is for what fills in what is derived, and changes nothing that anybody asked for.
FUNCTIONS = """
CREATE OR REPLACE FUNCTION ivsvod_audit_changes(old_row jsonb, new_row jsonb, fields jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT jsonb_object_agg(
        ltrim(field.value, '!'),
        CASE WHEN field.value LIKE '!%' THEN jsonb_build_array(
            CASE WHEN coalesce(old_row ->> field.key, '') <> '' THEN '***' END,
            CASE WHEN coalesce(new_row ->> field.key, '') <> '' THEN '***' END)
        ELSE jsonb_build_array(old_row -> field.key, new_row -> field.key) END)
    FROM jsonb_each_text(fields) AS field
    WHERE coalesce(old_row -> field.key, 'null') <> coalesce(new_row -> field.key, 'null')
$$;

CREATE OR REPLACE FUNCTION ivsvod_audit_type(app text, model_name text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    found integer;
BEGIN
    SELECT id INTO found FROM django_content_type WHERE app_label = app AND model = model_name;
    IF found IS NULL THEN
        -- Django makes these after the last migration, and then finds this one.
        INSERT INTO django_content_type (app_label, model) VALUES (app, model_name) ON CONFLICT DO NOTHING;
        SELECT id INTO found FROM django_content_type WHERE app_label = app AND model = model_name;
    END IF;
    RETURN found;
END $$;

CREATE OR REPLACE FUNCTION ivsvod_audit_actor() RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('ivsvod.actor', true), '')::jsonb,
        jsonb_build_object('way', 'database', 'name', session_user))
$$;

CREATE OR REPLACE FUNCTION ivsvod_audit_write(
    app text, model_name text, key text, name text, kind smallint, changes jsonb, actor jsonb
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO channels_app_auditentry
        (content_type_id, object_pk, object_repr, action, changes_text, changes, actor_id, actor_name, way, cid,
         timestamp)
    VALUES (ivsvod_audit_type(app, model_name), key, coalesce(name, key), kind, '', changes,
        (SELECT uuid FROM accounts_user WHERE uuid = (actor ->> 'account')::uuid),
        coalesce(actor ->> 'name', ''), actor ->> 'way', nullif(actor ->> 'operation', ''), now())
$$;

-- What changes no row: with changes it was done elsewhere, without any something was shown (the action `access`).
CREATE OR REPLACE FUNCTION ivsvod_audit_note(app text, model_name text, key text, name text, changes jsonb)
RETURNS void LANGUAGE sql AS $$
    SELECT ivsvod_audit_write(app, model_name, key, nullif(name, ''),
        CASE WHEN changes IS NULL THEN 3 ELSE 1 END::smallint, changes, ivsvod_audit_actor())
$$;

-- Arguments: the app and model of the object, the column of its key, the column of its name (or none), the columns
-- that are audited with their fields, whether the row is a part of the object, whose changes are those of the object,
-- and the primary key of the table.
-- Reads these columns alone, and of an UPDATE only the rows in which they changed: the others can be very large.
CREATE OR REPLACE FUNCTION ivsvod_audit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    actor jsonb := ivsvod_audit_actor();
    key text := TG_ARGV[2];
    name text := TG_ARGV[3];
    fields jsonb := TG_ARGV[4];
    is_part boolean := TG_ARGV[5];
    primary_key text := TG_ARGV[6];
    kind smallint := CASE WHEN is_part THEN 1 WHEN TG_OP = 'INSERT' THEN 0 WHEN TG_OP = 'UPDATE' THEN 1 ELSE 2 END;
    columns text := string_agg(quote_ident(attname), ', ') FROM pg_attribute
        WHERE attrelid = TG_RELID AND NOT attisdropped
            AND (attname IN (key, name, primary_key) OR fields ? attname::text);
    rows text;
BEGIN
    IF actor ->> 'way' = 'none' THEN
        RETURN NULL;
    END IF;
    rows := CASE TG_OP
        WHEN 'INSERT' THEN format('SELECT NULL::jsonb, to_jsonb(made) FROM (SELECT %s FROM new_rows) AS made', columns)
        WHEN 'DELETE' THEN format('SELECT to_jsonb(gone), NULL::jsonb FROM (SELECT %s FROM old_rows) AS gone', columns)
        ELSE format('SELECT to_jsonb(gone), to_jsonb(made) FROM (SELECT %1$s FROM old_rows) AS gone
            JOIN (SELECT %1$s FROM new_rows) AS made ON gone.%2$I = made.%2$I AND gone IS DISTINCT FROM made',
            columns, primary_key)
    END;
    EXECUTE format($query$
        SELECT ivsvod_audit_write($1, $2, row_key, row_name, $3, changes, $4)
        FROM (%s) AS rows (gone, made)
        -- A part that moves to another object is taken from the one and given to the other.
        CROSS JOIN LATERAL (
            SELECT coalesce(made, gone) ->> $5, coalesce(made, gone) ->> $6, ivsvod_audit_changes(gone, made, $7)
                WHERE gone IS NULL OR made IS NULL OR gone ->> $5 = made ->> $5
            UNION ALL SELECT gone ->> $5, gone ->> $6, ivsvod_audit_changes(gone, NULL, $7)
                WHERE gone ->> $5 <> made ->> $5
            UNION ALL SELECT made ->> $5, made ->> $6, ivsvod_audit_changes(NULL, made, $7)
                WHERE gone ->> $5 <> made ->> $5
        ) AS entry (row_key, row_name, changes)
        WHERE changes IS NOT NULL OR $8
    $query$, rows)
    USING TG_ARGV[0], TG_ARGV[1], kind, actor, key, name, fields, TG_OP <> 'UPDATE' AND NOT is_part;
    RETURN NULL;
END $$;

-- A row that links an object to something that is told by its name. Arguments: the app and model of the object, its
-- table, the columns of its key and name, the column of the link that holds the key; the field; the table of the
-- something, the column of its name, and the column of the link that leads there.
CREATE OR REPLACE FUNCTION ivsvod_audit_link() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    actor jsonb := ivsvod_audit_actor();
    link jsonb := CASE TG_OP WHEN 'INSERT' THEN to_jsonb(NEW) ELSE to_jsonb(OLD) END;
    key text := link ->> TG_ARGV[5];
    name text;
    told text;
BEGIN
    EXECUTE format('SELECT %I FROM %I WHERE %I::text = $1', TG_ARGV[4], TG_ARGV[2], TG_ARGV[3]) INTO name USING key;
    EXECUTE format('SELECT %I FROM %I WHERE id::text = $1', TG_ARGV[8], TG_ARGV[7]) INTO told USING link ->> TG_ARGV[9];
    PERFORM ivsvod_audit_write(TG_ARGV[0], TG_ARGV[1], key, name, 1::smallint, jsonb_build_object(TG_ARGV[6],
        CASE TG_OP WHEN 'INSERT' THEN jsonb_build_array(NULL, told) ELSE jsonb_build_array(told, NULL) END), actor);
    RETURN NULL;
END $$;
"""
FUNCTIONS += pinned("ivsvod_audit", "ivsvod_audit_link")
DROP_FUNCTIONS = """
DROP FUNCTION ivsvod_audit_link;
DROP FUNCTION ivsvod_audit;
DROP FUNCTION ivsvod_audit_note;
DROP FUNCTION ivsvod_audit_write;
DROP FUNCTION ivsvod_audit_actor;
DROP FUNCTION ivsvod_audit_type;
DROP FUNCTION ivsvod_audit_changes;
"""


@dataclass(frozen=True)
class AuditedTable:
    """A table whose changes are in the audit log as those of an object: `model` is `app.model`.

    `fields` gives the field of each column that is told; one that begins with `SECRET` tells that it changed alone. A
    table `of` another object tells its changes as those of that object, whose key is in the column `key`.
    """

    table: str
    model: str
    fields: Mapping[str, str]
    key: str = "uuid"
    name: str = ""
    primary_key: str = "uuid"
    is_part: bool = False

    @property
    def create(self) -> str:
        """SQL that makes its triggers; each takes a short lock that waits for running writes of the table."""
        app, _, model = self.model.partition(".")
        told = (app, model, self.key, self.name, json.dumps(dict(self.fields)), str(self.is_part), self.primary_key)
        arguments = ", ".join(f"'{value}'" for value in told)
        return "".join(
            f"CREATE OR REPLACE TRIGGER ivsvod_audit_{kind} AFTER {kind.upper()} ON {self.table} {referencing} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_audit({arguments});\n"
            for kind, referencing in _REFERENCING.items()
        )

    @property
    def drop(self) -> str:
        """SQL that removes them."""
        return "".join(f"DROP TRIGGER IF EXISTS ivsvod_audit_{kind} ON {self.table};\n" for kind in _REFERENCING)


@dataclass(frozen=True)
class AuditedLink:
    """A table that links an object to something, such as an account to a group: told as a change of the object.

    `owner` is the object's table with the columns of its key and name, and the link's column that holds the key;
    `other` is the table of the something, the column of its name, and the link's column that leads there.
    """

    table: str
    model: str
    field: str
    owner: tuple[str, str, str, str]
    other: tuple[str, str, str]

    @property
    def create(self) -> str:
        """SQL that makes its trigger."""
        app, _, model = self.model.partition(".")
        arguments = ", ".join(f"'{value}'" for value in (app, model, *self.owner, self.field, *self.other))
        return (
            f"CREATE TRIGGER ivsvod_audit AFTER INSERT OR DELETE ON {self.table} "
            f"FOR EACH ROW EXECUTE FUNCTION ivsvod_audit_link({arguments});\n"
        )

    @property
    def drop(self) -> str:
        """SQL that removes it."""
        return f"DROP TRIGGER IF EXISTS ivsvod_audit ON {self.table};\n"
