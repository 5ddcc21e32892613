-- Fire the triggers of channels that lack derived columns. Parameters: last uuid, batch size. No audit entry: no person
-- made this change.
WITH batch AS (
    SELECT uuid, set_config('ivsvod.actor', '{"way": "none"}', true)
    FROM ivs_channels WHERE uuid > %s AND _status IS NULL ORDER BY uuid LIMIT %s FOR NO KEY UPDATE
)
UPDATE ivs_channels SET owner = owner FROM batch WHERE ivs_channels.uuid = batch.uuid RETURNING ivs_channels.uuid
