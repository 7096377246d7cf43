-- name: sign_in
-- $1 id for a new user  $2 e-mail address (lower case)  $3 IANA zone, '' when the browser told none
INSERT INTO users (id, email, zone) VALUES ($1, $2, CASE WHEN $3 = '' THEN 'UTC' ELSE $3 END)
ON CONFLICT (email) DO UPDATE SET zone = CASE WHEN $3 = '' OR users.zone_chosen THEN users.zone ELSE $3 END
RETURNING id, email, zone, theme, letter_keys

-- name: zone_of
-- $1 user
SELECT zone FROM users WHERE id = $1

-- name: settings_of
-- $1 user
SELECT zone, zone_chosen, theme, letter_keys FROM users WHERE id = $1

-- name: set_zone
-- $1 user  $2 IANA zone, chosen by hand
UPDATE users SET zone = $2, zone_chosen = true WHERE id = $1

-- name: set_look
-- $1 user  $2 theme  $3 whether single letters are shortcuts
UPDATE users SET theme = $2, letter_keys = $3 WHERE id = $1
