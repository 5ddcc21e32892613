SELECT count(*) FILTER (WHERE stream_key <> '' AND NOT starts_with(stream_key, 'enc:1:')),
    count(*) FILTER (WHERE starts_with(stream_key, 'enc:1:')) FROM ivs_channels
