-- Write the index of videos again; return each uuid, and whether its row was another one. Parameters: last uuid, batch size.
WITH batch AS (
    SELECT uuid FROM on_demand_videos WHERE uuid > %s ORDER BY uuid LIMIT %s
), written AS MATERIALIZED (
    SELECT ivsvod_index_videos(array_agg(uuid), true) AS uuids FROM batch
)
SELECT uuid, uuid = ANY (uuids) FROM batch, written
