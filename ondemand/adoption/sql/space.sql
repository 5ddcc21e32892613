SELECT pg_total_relation_size('ivs_state_changes'), EXISTS (SELECT FROM pg_attribute
    WHERE attrelid = to_regclass('ivs_state_changes') AND attname = '_id' AND NOT attisdropped)
