-- What has left or ended, newest first.

-- name: ended
-- Messages of user $1 in one of $2 before ($3, $4) in the order of due instant and id, newest first, at most $5.
SELECT m.id, m.account_id, m.recipient, m.due_at, m.state, m.reason, m.left_at, m.sent_at, m.delivered_at, m.read_at,
       m.updated_at, s.window_s, s.late_limit_s, s.not_after_s, octet_length(s.body) AS body_bytes, c.name AS recipient_name,
       coalesce(c.members, 0) AS members, coalesce(c.established, false) AS established,
       coalesce(c.can_send, true) AS can_send
FROM messages m JOIN schedules s ON s.id = m.schedule_id
     LEFT JOIN contacts c ON c.account_id = m.account_id AND c.jid = m.recipient
WHERE m.user_id = $1 AND m.state = ANY ($2::text[]) AND (m.due_at, m.id) < ($3, $4)
ORDER BY m.due_at DESC, m.id DESC LIMIT $5
