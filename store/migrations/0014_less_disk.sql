-- Less disk for a message that waits.

-- When a message was made is its schedule's to say.
DELETE FROM changes WHERE event = 'created';

-- Schedules are found by whose they are, never by when they were made: equal keys share their room in an index.
DROP INDEX schedules_of_user;
CREATE INDEX schedules_of_user ON schedules (user_id);
