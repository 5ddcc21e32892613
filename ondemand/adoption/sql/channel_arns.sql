SELECT parts[1], parts[2], count(*) FROM (
    SELECT regexp_match(arn, '^arn:aws[a-z-]*:ivs:([a-z0-9-]+):([0-9]+):channel/.+$') AS parts FROM ivs_channels
) AS channel
GROUP BY 1, 2 ORDER BY 1, 2
