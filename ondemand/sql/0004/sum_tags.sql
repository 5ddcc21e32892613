-- Add up the counts of each tag that has several rows. Readers see either those or the sum.
-- Windows that ended more than a day ago no longer count, and starts older than that are dropped: no reader asks for so
-- early a time.
WITH several AS (
    DELETE FROM ondemand_tagcount
    WHERE tag IN (SELECT tag FROM ondemand_tagcount GROUP BY tag HAVING count(*) > 1)
    RETURNING tag, publish_from, publish_until, videos, listed
), lasting AS (
    SELECT tag, videos, CASE WHEN publish_until < long_ago THEN 0 ELSE listed END AS listed,
        CASE WHEN publish_from > long_ago THEN publish_from END AS publish_from,
        CASE WHEN publish_until >= long_ago THEN publish_until END AS publish_until
    FROM several CROSS JOIN (SELECT now() - interval '1 day') AS time (long_ago)
)
INSERT INTO ondemand_tagcount (tag, publish_from, publish_until, videos, listed)
SELECT tag, publish_from, publish_until, sum(videos), sum(listed) FROM lasting
GROUP BY tag, publish_from, publish_until HAVING sum(videos) <> 0 OR sum(listed) <> 0
