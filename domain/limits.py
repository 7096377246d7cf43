"""Every number of the product outside the enclave, with its unit and why. Nothing else holds a magic number."""

from typing import Final

# --- sessions and slots ---
HOT_SLOTS_MIN: Final = 5
"""Fewest live sessions a node allows itself."""
HOT_SLOTS_MAX: Final = 500
"""Most of them: below the enclave's own bound (enclave/sessions.py)."""
SESSION_BYTES: Final = 18_300_000
"""What one more live session takes for itself, as `./autosendr bench wake` measures it."""
SESSIONS_SHARED_BYTES: Final = 40_000_000
"""What all of them have in common, once: the difference of shared and private size there, times the sessions."""
PAIRING_BYTES: Final = 100_000_000
"""Set aside for each of PAIRING_SLOTS_MAX: memory peaks at pairing (docs/whatsapp.md §8)."""
HOT_MEMORY_SHARE: Final = 0.75
"""Share of the free memory that sessions may take when slots are `auto`."""
PRESSURE_HIGH_PERCENT: Final = 5.0
"""Share of 10 s in which something waited for memory: above this, sessions must go."""
PRESSURE_LOW_PERCENT: Final = 1.0
"""Above this, no slots are added."""
SLOTS_STEP: Final = 0.1
"""Share by which slots grow or shrink at one look."""
PAIRING_SLOTS_MAX: Final = 2
"""Pairings at one time: memory peaks at pairing (docs/whatsapp.md §8)."""

# --- wakes ---
KEEP_S: Final = 600.0
"""An idle session that is needed again within this stays while nobody needs its slot: a wake costs more."""
STAY_S: Final = 120.0
"""After a send an idle session stays this long while nobody needs its slot: people read soon, and it hears of that."""
STAY_S_MAX: Final = 3600.0
MERGE_S: Final = 10.0
"""A session needed again within this is not sent to sleep for anybody: its two uses are one wake."""
WAKE_HOLDS_S: Final = 8.0
"""How long a wake is reckoned to hold its slot: lead, send, linger, close."""
EMPTY_AHEAD_S: Final = 1.0
"""A slot is emptied this much before the wake that needs it: closing takes a moment."""
TURN_S: Final = 60.0
"""An account that sends without end gives its slot back after this, when others wait for one."""
WAKE_CPU_S: Final = 0.083
"""Processor time of a wake with one message: session 61 ms, supervisor 14, stores 8. Bounds connects in a second."""
WAKE_CPU_SHARE: Final = 0.85
"""Share of the processors that wakes may take."""
CONNECTS_PER_S_MIN: Final = 1.0
CONNECTS_PER_S_STEP: Final = 1.0
"""How much the connect rate grows in a second in which all of it is used."""
CONNECTS_FIRST_SHARE: Final = 0.5
"""Share of what the processors bear that a node begins with."""
CONNECTS_AT_ONCE: Final = 3
"""Connects that may begin together after a rest."""
CONNECTS_JUDGED: Final = 50
"""Connects whose ends are judged together."""
REFUSALS_TOLERATED: Final = 0.1
"""Share of them that may be refused before the rate is halved."""
HALVING_DEAF_S: Final = 5.0
"""What ends this soon after a halving was begun before it, and says nothing."""

# --- the life of a session ---
CONNECT_DEADLINE_S: Final = 45.0
"""COLD to HOT, and the patience while the library redials (docs/whatsapp.md §5)."""
PAIR_CODES_MAX: Final = 6
"""QR codes of one linking: WhatsApp sends as many (docs/whatsapp.md §4)."""
PAIR_TYPED_S: Final = 160
"""How long a code to be typed on the phone is good for (docs/whatsapp.md §4)."""
PAIR_NEXT_S: Final = 5.0
"""How long after a code's end its number is still known, so that a page says "the next" and not "the first"."""
PAIR_PHASE_S: Final = 900.0
"""How long pages may say how far a linking has come, once the phone was found."""
PAIR_SLOW_S: Final = 20.0
"""A linking that has shown no code after this long is called slow: others are before it, or WhatsApp hesitates."""
PAIR_LOGIN_S: Final = 15.0  # from the phone's yes to the first login; then anew (docs/whatsapp.md §4)
PAIR_DEADLINE_S: Final = 190.0
"""A whole pairing: 160 s of codes, the restart, the first login."""
CLOSE_DEADLINE_S: Final = 110.0
"""An orderly close: a send in flight may take the door's 90 s, then 10 s to hang up, then the store."""
DRAIN_S: Final = 10.0
"""How long a session waits for the offline queue's end before it sends anyway."""
DRAIN_MANY_S: Final = 30.0
"""The same for a queue longer than DRAIN_SHORT."""
DRAIN_SHORT: Final = 100
DRAIN_LONG: Final = 500
"""A queue longer than this is drained after the sends."""
FLAPS_MAX: Final = 3
"""Reconnects of the library inside FLAP_WINDOW_S before we stop it."""
FLAP_WINDOW_S: Final = 600.0
LINGER_S: Final = 5.0
"""After a send to an established recipient, at most this long for its delivery receipt."""
LINGER_FIRST_CONTACT_S: Final = 20.0
"""After a first message to somebody: the time in which retry receipts come."""
LINGER_RETRY_S: Final = 20.0
"""A retry receipt keeps the session at least this much longer."""
LINGER_QUIET_S: Final = 1.0
"""After the delivery receipt that ends a linger: another device may still ask again."""
LINGER_MAX_S: Final = 120.0
STICKY_SYNC_S: Final = 24 * 3600.0
"""How long an account may be HOT for its first sync; what names and photos do not need of it is not used."""
SYNC_QUIET_S: Final = 60.0
"""First sync ends when names, photos and groups are in and nothing has changed for this long."""

PICTURES_PER_WAKE_MAX: Final = 30
PICTURES_PER_DAY_MAX: Final = 100
"""Of one account in 24 h (docs/whatsapp.md §10)."""
PICTURE_GAP_S: Final = 4.0
"""Between two picture requests (docs/whatsapp.md §10)."""
PICTURE_GAP_JITTER: Final = 0.5
"""Share of the gap that dice add, so that no rhythm shows."""
PICTURE_PAUSE_S: Final = 24 * 3600
"""After a request for a picture that WhatsApp refused, for example as too many, none is made for this long."""
PICTURE_FRESH_S: Final = 30 * 24 * 3600
"""How long an answer about a picture holds, "none" included."""
SYNC_DEBOUNCE_FIRST_S: Final = 0.1
"""Changes of contacts are copied together; a person waits for the first ones, so these are copied sooner."""
SYNC_DEBOUNCE_S: Final = 1.0
"""The same, once there were many."""
HEALTH_S: Final = 3 * 24 * 3600
"""An account not connected for this long is woken, so that WhatsApp keeps its device (docs/whatsapp.md §7)."""
HEALTH_JITTER_S: Final = 24 * 3600
"""What is added at most, another share of it each time, so that accounts linked together do not wake together."""
HEALTH_STAY_S: Final = 10.0
HEALTH_AGAIN_S: Final = 6 * 3600
"""After any wake that was in vain a health wake is not tried again for this long."""
HEALTH_PATIENCE_S: Final = 12 * 3600
"""A health wake that has found no slot for this long may have an idle session, or a first sync, give way."""
STICKY_PATIENCE_S: Final = 3600
"""The same for a first sync that was cut short."""
PHONE_DAYS: Final = 14
"""WhatsApp unlinks its devices when the phone stays away for this many days (docs/whatsapp.md §7)."""
PHONE_WARN_DAYS: Final = 10
"""From this day on without a sign of the phone the person is warned."""
WAKES_KEPT_S: Final = 30 * 24 * 3600
"""How long it is remembered what a session did and when."""
WAKES_PURGED_MAX: Final = 5000
"""Old wakes that one turn of reconcile forgets."""
SYNCS_MAX: Final = 2
"""First syncs that are proposed at one time."""
HEALTH_WAKES_MAX: Final = 2
"""Health wakes that are proposed at one time; first syncs that wait for a slot do not count."""

# --- time ---
LOOK_AHEAD_S: Final = 20.0
"""How far ahead of its due instant a message is claimed; longer than LEAD_DEFAULT_S so that the wake fits."""
LEAD_DEFAULT_S: Final = 4.0
"""From the wake to ready, until it has been measured for the account."""
LEAD_MAX_S: Final = 15.0
SPARE_LEADS: Final = 2
"""Leads that a wake begins earlier while there is room: a login that is refused takes one, the next may be slow."""
GATE_LEAD_S: Final = 0.15
"""The gate's commit happens this much before the due instant, so that no round trip stands between it and the wire."""
GATE_LEAD_S_MAX: Final = 1.0
"""The gate lets nothing pass that is due later than this: it has been moved meanwhile."""
TURN_REST_S: Final = 0.02
"""Between two turns of a loop: nobody feels so little, and much can happen in it."""
DUE_TICK_S: Final = 1.5
IDLE_TICK_S: Final = 10.0
LEASE_TICK_S: Final = 10.0
MEMORY_TICK_S: Final = 5.0
RECONCILE_TICK_S: Final = 60.0
NEAR_HORIZON_S: Final = 900.0
"""Redis holds due work this far ahead; Postgres holds all of it."""
CLAIM_LEASE_S: Final = 30.0
CLAIM_BATCH_MAX: Final = 500
TOGETHER_MAX: Final = 100
"""Sends that share one commit: more would make the first of them wait for the last."""
IMPORT_BATCH: Final = 1000
"""Messages of an import that share one commit: nobody waits for the first of them."""
TOGETHER_BATCHES: Final = 2
"""Of them under way at one time, so that we work while the database does."""
LATE_DEFAULT_S: Final = 2 * 3600
"""A message older than this is MISSED, unless its schedule says otherwise."""
DUE_FUTURE_S_MAX: Final = 366 * 24 * 3600
"""Furthest due time that can be chosen."""
WINDOW_S_MAX: Final = 3600
"""Longest window of a message that may leave about its time."""
LATE_S_MIN: Final = 60
LATE_S_MAX: Final = 24 * 3600
"""Least and most that a person may allow a message to be late."""
OVERDUE_S: Final = 3.0
"""A message that has not left this long after its instant is called late."""
DUE_PAST_S_MAX: Final = 60
"""A chosen time may lie this far back (slow typing) and then means now."""

# --- ownership ---
OWNER_LEASE_S: Final = 30.0
"""An account's ownership by a node; renewed each LEASE_TICK_S; we stop acting OWNER_MARGIN_S before it ends."""
OWNER_MARGIN_S: Final = 8.0
SLOT_LEASE_S: Final = 30.0
BALANCE_TICK_S: Final = 5.0
BALANCE_SLACK: Final = 0.1  # share of what a node keeps that it has too much before it hands anything on
MOVES_PER_ROUND_MAX: Final = 50
LOCKS_BACK_S: Final = 10.0
"""After its start Postgres may not show the locks of nodes that are alive: for this long a missing one says nothing."""
LOCK_LOOK_S: Final = 1.0

# --- failure ---
BACKOFF_S: Final = (30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
BACKOFF_JITTER: Final = 0.25
FAST_RETRY_S: Final = 1.0
"""The first failure is retried once, fast, inside the look-ahead."""
RESTART_S: Final = (5.0, 10.0, 20.0, 40.0, 120.0)
RESTARTS_MAX: Final = 5
PARK_S: Final = 600.0
PARK_JITTER_S: Final = 300.0
ATTEMPTS_MAX: Final = 8
"""Certain non-sends of one message before it is FAILED."""
SETTLE_S: Final = 60.0
"""How long receipts may take to settle an ambiguous send, once the session is drained."""
FLEET_STOP_S: Final = 1800.0
RATE_LIMITED_S: Final = 600.0
"""Least wait after stream error 429 (docs/whatsapp.md §5)."""
BAN_MARGIN_S: Final = 600.0
"""After a ban's end, at least this much more before the next login; up to BAN_JITTER_S on top."""
BAN_JITTER_S: Final = 3000.0
STRAY_RECEIPT_S: Final = 14 * 24 * 3600
"""WhatsApp queues a receipt for 14 days (docs/whatsapp.md §6)."""
RECEIPT_CLOCK_S: Final = 5
"""Receipts carry whole seconds of WhatsApp's clock: one may seem this much older than the attempt it settles."""

# --- what protects the number (docs/whatsapp.md §11); hard ceilings, of one account ---
SENDS_APART_S: Final = 6.0
"""Between two sends, at least."""
SENDS_APART_JITTER_S: Final = 6.0
"""Up to this much more, by dice of the message's own, so that no rhythm shows."""
SAME_CHAT_S: Final = 20.0
"""Between two sends to one chat."""
BURST_MAX: Final = 8
"""Sends in BURST_S."""
BURST_S: Final = 300.0
PEOPLE_PER_DAY: Final = 100
"""Sends to people in any 24 h."""
NEW_PEOPLE_PER_DAY: Final = 20
"""The same in the first NEW_S after linking."""
NEW_S: Final = 7 * 24 * 3600.0
FIRST_WORDS_PER_DAY: Final = 30
"""Sends in 24 h to people whom this link never wrote to; about 48 in a day had one number restricted."""
STRANGERS_PER_DAY: Final = 3
"""Sends in 24 h to numbers that are no contact."""
STRANGERS_PER_WEEK: Final = 10
NEW_COLD_S: Final = 48 * 3600.0
"""After linking, nothing goes to strangers for this long."""
GROUPS_PER_DAY: Final = 20
"""Sends to groups in any 24 h."""
SAME_GROUP_S: Final = 600.0
"""Between two sends to one group."""
WAKES_APART_S: Final = 60.0
"""Between two wakes of an account, of which few an hour and a day: who connects all the time is distrusted."""
WAKES_PER_HOUR: Final = 12
WAKES_PER_DAY: Final = 60
ASKED_WAKES_SHARE: Final = 0.75
ENRICHMENT_WAKES_SHARE: Final = 0.5
"""Share of these for linking and wishes; for first syncs and health wakes. The rest is for sends."""
REACH_OUT_CODE: Final = 463
"""WhatsApp's word for "you may not open this chat"."""
COLD_PAUSES_S: Final = (24 * 3600.0, 72 * 3600.0, 7 * 24 * 3600.0)
"""After such a refusal strangers wait this long; longer each time."""
COLD_PAUSES_FORGOTTEN_S: Final = 7 * 24 * 3600.0
"""A pause that ended this long ago does not make the next one longer."""
REFUSALS_MAX: Final = 2
"""Refusals in a row, after which nothing leaves for REFUSED_PAUSE_S."""
REFUSED_PAUSE_S: Final = 24 * 3600.0
EASED_S: Final = 7 * 24 * 3600.0
"""After a ban has ended, half of what is allowed by day or week."""
SOON_AFTER_S: Final = 60
"""What pacing delays by less than this is not called late."""

# --- people ---
TEXT_CHARS_MAX: Final = 4096
EMAIL_CHARS_MAX: Final = 254
LOGIN_CODE_DIGITS: Final = 6
LOGIN_CODE_S: Final = 600
LOGIN_CODE_TRIES_MAX: Final = 5
LOGIN_CODE_WAIT_S: Final = 30.0
"""Between two mails with codes to one browser: the first may still be on its way."""
LOGIN_CODES_PER_HOUR: Final = 5
RECOVERY_TRIES_PER_HOUR: Final = 5
"""Recovery codes that one user may try."""
LOGIN_S: Final = 30 * 24 * 3600
ACCOUNTS_PER_USER_MAX: Final = 5
OPEN_MESSAGES_PER_ACCOUNT_MAX: Final = 2000
SEARCH_RESULTS_MAX: Final = 30
"""Options shown while a recipient is chosen."""
SEARCH_CHARS_MAX: Final = 80
SEARCH_WORDS_MAX: Final = 8
RECENT_SENDS_MAX: Final = 200
"""The newest sends of an account that make their recipients "recent"."""
CONTACT_PAGES_MAX: Final = 5
"""Pages of PAGE_ROWS_MAX that the list of people shows at most; who wants to see more has forgotten the search."""
FACE_CACHE_S: Final = 30 * 24 * 3600
"""How long a browser keeps a picture, whose address changes with it."""
PAGE_ROWS_MAX: Final = 100
LETTER_ROWS: Final = 50
"""Messages on one page of a list."""
GONE_ROWS: Final = 15
"""Of them, those of today that have gone: the newest."""
FOUND_ROWS: Final = 5
"""Rows of a group in the palette."""
DAY_MARKS_MAX: Final = 500
"""Messages that the line of a day looks at."""
RECORD_S: Final = 30 * 24 * 3600
"""How far back the on-time record of an account reaches."""
THEME_S: Final = 366 * 24 * 3600
"""How long a browser without a login remembers the chosen theme."""
LATELY_MAX: Final = 6
"""Steps of an account's latest history on its page."""
EXPORT_PAGE_ROWS: Final = 200
"""Rows that an export reads at a time; each may have a sealed body of 16 kB."""
ON_THE_WIRE_S: Final = 120.0
"""A send that passed the gate this lately may be under way; the door waits for 90 s."""
FAREWELL_S: Final = 24 * 3600
"""Whoever deletes everything is gone after this at the latest, also if WhatsApp could not be told."""
FAREWELLS_MAX: Final = 100
"""Users that one turn of reconcile removes."""
SEALED_TEXTS_MAX: Final = 20
"""Sealed texts that a page asks for at once: half a megabyte if all are as long as can be."""
HISTORY_ROWS: Final = 50
"""One page of the history."""
UNDO_S: Final = 10
"""How long a toast offers its undo; the message's page does so for longer."""

# --- live updates ---
SSE_QUEUE_MAX: Final = 20
SSE_HEARTBEAT_S: Final = 15.0
SSE_DEBOUNCE_S: Final = 0.25

# --- the engine room ---
BOARD_TICK_S: Final = 1.0
"""A node looks this often whether its board has changed."""
BOARD_GAP_S: Final = 0.4
"""Two boards of a node are at least this far apart, however much happens."""
BOARD_FRESH_S: Final = 5.0
"""A board that has not changed is posted again after this, so that one sees that its node lives."""
BOARD_KEPT_S: Final = 15.0
BOARD_TILES_MAX: Final = 600
"""Accounts with a slot on one board: more than HOT_SLOTS_MAX, and it bounds the board."""
NODES_SHOWN_MAX: Final = 32
TILES_MAX: Final = 600
"""Accounts of the map that are elements of their own; the others are dots of one pattern."""
SOON_S: Final = 900.0
"""A cold account that has something to send within this is marked."""
SLOTS_SHOWN_MAX: Final = 40
FOREVER_MS: Final = 1 << 60
"""Unix ms beyond this mean: until somebody says otherwise."""
LATEST_SHOWN: Final = 3
HISTORY_WAKES: Final = 30
"""Wakes, and orders, of an account's history in the engine room."""
TRAIL_ROWS: Final = 200
"""Orders on the page of the trail."""
LIVING_SHOWN_MAX: Final = 150
"""Accounts that a narrow page shows, where the cold ones are left out."""
DRAIN_TICK_S: Final = 2.0
"""A node looks this often whether an admin wants it empty."""
LOOP_LATE_S: Final = 2.0
"""A loop whose last turn is this much longer ago than it should be is late."""
QUEUE_S: Final = 24 * 3600
"""How far ahead the queue is shown and its lateness predicted."""
CROWDS_MAX: Final = 20_000
"""Due instants that a prediction looks at, the nearest first."""
FORECAST_WAKES_MAX: Final = 60_000
"""Wakes that a prediction looks at; each costs 2 microseconds."""
FORECAST_HOLD_S: Final = 3.0
"""How long a session keeps its slot after a send, on average: its linger, then its closing."""
ROOM_SLOW_S: Final = 5.0
"""How old what the engine room knows of waits and near wakes may be."""
ROOM_QUEUE_S: Final = 30.0
"""The same of the queue and of what left today."""
ROOM_RECORD_S: Final = 60.0
"""The same of the record of 30 days, whose query reads every message of them."""
ORDERS_KEPT_S: Final = 366 * 24 * 3600
"""How long it is remembered what admins did."""

# --- process supervision ---
RESTARTS_PER_WINDOW: Final = 5
RESTART_WINDOW_S: Final = 30.0
SHUN_S: Final = 30.0
"""How long an account whose actor crashed is left alone by this node."""
WORLD_RETRY_S: Final = 0.5
"""Between two tries of what must not be lost, while Postgres or Redis is away."""
WORLD_QUIET_S: Final = 10.0
"""Who found the world away this lately finds the same outage, and does not log it again."""
CHORES_MAX: Final = 256
TERM_DRAIN_S: Final = 25.0
ACTOR_MAILBOX_MAX: Final = 256

# --- readiness and metrics ---
READINESS_S: Final = 1.0
"""How old an answer to "is it ready?" may be: it is asked by anybody, as often as they like."""
READINESS_PATIENCE_S: Final = 3.0
"""What has not answered after this is away: longer than a pause of the machine, shorter than a probe's patience."""
LOOKOUT_TICK_S: Final = 2.0
"""Between two looks of a supervisor at what it needs."""
OVERDUE_ALARM_S: Final = 60.0
"""A message that has not begun to leave this long after its due instant is counted as overdue."""
LATENESS_BUCKETS_S: Final = (0.001, 0.005, 0.02, 0.05, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
"""Upper bounds of the histogram of lateness: from the timer's own error to what a late policy still lets leave."""
SHORT_BUCKETS_S: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0)
"""Of histograms of what should be over in a moment: turns of loops, answers to browsers."""
LONG_BUCKETS_S: Final = (0.01, 0.05, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 90.0)
"""Of what may take as long as the network does: calls through the door."""
METRICS_TOKEN_MIN: Final = 16
"""Characters of the word that opens the metrics of the web process."""
