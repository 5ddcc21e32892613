-- Return the rank of a row among the rows of its recording. The lowest rank is the first row, the others are its
-- duplicates; between equals the oldest is first, then the smallest uuid.
-- 0: available or hidden by staff, and no duplicate; 1: the same, but a duplicate; 2: its recording has not ended here,
-- and may never; 3: the same, but a duplicate.
CREATE OR REPLACE FUNCTION ivsvod_first_row_rank(status text, active boolean, duplicate_of uuid) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN status = 'available' OR active IS FALSE THEN 0 ELSE 2 END
        + CASE WHEN duplicate_of IS NULL THEN 0 ELSE 1 END
$$;
