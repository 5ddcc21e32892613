-- Return the number of blocks of the table of videos. A row that is written meanwhile is derived by its triggers.
SELECT pg_relation_size('on_demand_videos') / current_setting('block_size')::integer
