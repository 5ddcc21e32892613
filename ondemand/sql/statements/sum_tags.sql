-- Add up the counts of each tag that has several rows. Readers see either those or the sum.
WITH several AS (
    DELETE FROM ondemand_tagcount
    WHERE tag IN (SELECT tag FROM ondemand_tagcount GROUP BY tag HAVING count(*) > 1) RETURNING tag, videos, listed
)
INSERT INTO ondemand_tagcount (tag, videos, listed)
SELECT tag, sum(videos), sum(listed) FROM several GROUP BY tag HAVING sum(videos) <> 0 OR sum(listed) <> 0
