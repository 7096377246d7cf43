-- A message may leave from its due instant until this much later, and is on time then; 0: at the instant.
ALTER TABLE schedules ADD COLUMN window_s integer NOT NULL DEFAULT 0 CHECK (window_s BETWEEN 0 AND 86400);
