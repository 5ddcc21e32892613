SELECT count(*) FROM on_demand_video_content WHERE tags IS NULL
