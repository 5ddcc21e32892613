-- The tables of the service that ivsvod replaces, written anew from their description
-- (shared/reference/predecessor.md §2). Its people run such a file by hand, as a superuser.

CREATE EXTENSION IF NOT EXISTS "uuid-ossp";

CREATE TABLE ivs_channels (
    uuid uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    owner uuid NOT NULL,
    created_at timestamptz DEFAULT now(),
    active boolean DEFAULT true,
    arn text NOT NULL,
    rtmp_address text NOT NULL,
    stream_key text NOT NULL,
    channel_data jsonb NOT NULL
);

CREATE INDEX idx_ivs_channels_owner ON ivs_channels USING hash (owner);

-- No primary key: two rows may be equal in every column.
CREATE TABLE ivs_state_changes (
    "timestamp" timestamptz NOT NULL DEFAULT now(),
    ivs_channel_uuid uuid NOT NULL,
    state text NOT NULL,
    data jsonb,
    CONSTRAINT fk_ivs_state_changes_to_ivs_channel FOREIGN KEY (ivs_channel_uuid) REFERENCES ivs_channels (uuid)
);

CREATE INDEX idx_ivs_state_channels_channel ON ivs_state_changes USING btree (ivs_channel_uuid, "timestamp");

-- No foreign key: a video may name a channel that is nowhere, or none.
CREATE TABLE on_demand_videos (
    uuid uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    ivs_channel_uuid uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    active boolean DEFAULT true,
    data jsonb NOT NULL
);

CREATE TABLE on_demand_video_content (
    uuid uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    on_demand_video_uuid uuid NOT NULL UNIQUE,
    created_at timestamptz DEFAULT now(),
    created_by uuid NOT NULL,
    title text,
    description text,
    tags text[],
    data jsonb,
    thumbnail text,
    CONSTRAINT fk_user_content_for_on_demand_video
        FOREIGN KEY (on_demand_video_uuid) REFERENCES on_demand_videos (uuid)
);

CREATE INDEX idx_on_demand_video_user_content ON on_demand_video_content USING hash (on_demand_video_uuid);
