-- name: sign_in
-- $1 id for a new user  $2 e-mail address (lower case)  $3 IANA zone, '' when the browser told none
INSERT INTO users (id, email, zone) VALUES ($1, $2, CASE WHEN $3 = '' THEN 'UTC' ELSE $3 END)
ON CONFLICT (email) DO UPDATE SET zone = CASE WHEN $3 = '' THEN users.zone ELSE $3 END
RETURNING id, email, zone

-- name: zone_of
-- $1 user
SELECT zone FROM users WHERE id = $1
