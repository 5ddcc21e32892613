-- Merge rows of the predecessor into their streams. Parameters: last id, batch size.
SELECT _id, ivsvod_record_state_change(_id, ivs_channel_uuid, timestamp, state, data)
FROM (
    SELECT * FROM ivs_state_changes WHERE _id > %s AND _event_id IS NULL ORDER BY _id LIMIT %s
) AS batch
