-- Count the videos and the listed videos of each tag, these for each publication window. Fired by every INSERT, UPDATE
-- and DELETE of `ondemand_videoindex`, which other triggers write.
-- Each statement adds rows with the differences, and no transaction waits for another one that changes the same tag.
-- `reconcile` adds them up.
CREATE OR REPLACE FUNCTION ivsvod_count_tags() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO ondemand_tagcount (tag, publish_from, publish_until, videos, listed)
        SELECT tag, publish_from, publish_until, count(*), count(*) FILTER (WHERE listing = 'listed')
        FROM new_rows CROSS JOIN LATERAL unnest(tags) AS tag GROUP BY tag, publish_from, publish_until;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO ondemand_tagcount (tag, publish_from, publish_until, videos, listed)
        SELECT tag, publish_from, publish_until, -count(*), -count(*) FILTER (WHERE listing = 'listed')
        FROM old_rows CROSS JOIN LATERAL unnest(tags) AS tag GROUP BY tag, publish_from, publish_until;
    ELSE
        INSERT INTO ondemand_tagcount (tag, publish_from, publish_until, videos, listed)
        SELECT tag, publish_from, publish_until, sum(videos), sum(listed) FROM (
            SELECT unnest(tags), publish_from, publish_until, 1, (listing = 'listed')::integer FROM new_rows
            UNION ALL
            SELECT unnest(tags), publish_from, publish_until, -1, -(listing = 'listed')::integer FROM old_rows
        ) AS change (tag, publish_from, publish_until, videos, listed)
        GROUP BY tag, publish_from, publish_until HAVING sum(videos) <> 0 OR sum(listed) <> 0;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER ivsvod_count_inserted AFTER INSERT ON ondemand_videoindex
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_count_tags();

CREATE OR REPLACE TRIGGER ivsvod_count_updated AFTER UPDATE ON ondemand_videoindex
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_count_tags();

CREATE OR REPLACE TRIGGER ivsvod_count_deleted AFTER DELETE ON ondemand_videoindex
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_count_tags();
