-- When a message was handed over, by our clock: WhatsApp's own time of it has whole seconds only.
ALTER TABLE messages ADD COLUMN left_at timestamptz;
