-- name: make_admin
-- $1 e-mail address (lower case)
UPDATE users SET is_admin = true WHERE email = $1 RETURNING id
