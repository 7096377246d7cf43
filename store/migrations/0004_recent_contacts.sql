-- Searching people: whom one has sent to lately comes first.

CREATE INDEX messages_sent_of_account ON messages (account_id, sent_at DESC) WHERE sent_at IS NOT NULL;

-- WhatsApp has refused a request for a picture: none is made before this.
ALTER TABLE accounts ADD COLUMN pictures_after timestamptz;
