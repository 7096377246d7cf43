-- name: make_admin
-- $1 e-mail address (lower case)
UPDATE users SET is_admin = true WHERE email = $1 RETURNING id;

-- name: is_admin
-- Whether user $1 is an admin.
SELECT coalesce((SELECT is_admin FROM users WHERE id = $1), false);
