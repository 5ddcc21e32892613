-- Return bucket and prefix of each recording with several rows.
SELECT _bucket, _prefix FROM on_demand_videos WHERE _prefix <> '' GROUP BY _bucket, _prefix HAVING count(*) > 1
