"""All iqs that the server answers, each with where its answer's shape comes from. What is not here gets an empty
result."""

from simulator import trusted
from simulator.stanzas import account, app_state, encrypt, groups, session, usync
from simulator.stanzas.answer import Entry

Key = tuple[str, str, str]
"""xmlns, type, tag of the child ("" for any or none)."""

WIRE = "docs/whatsapp.md §18 (client's parser)"

TABLE: dict[Key, Entry] = {
    ("encrypt", "get", "count"): Entry(encrypt.count, WIRE),
    ("encrypt", "set", "registration"): Entry(encrypt.upload, WIRE + "; refusals assumed"),
    ("encrypt", "get", "key"): Entry(encrypt.fetch, WIRE),
    ("encrypt", "get", "digest"): Entry(encrypt.digest, "second client's parser; hash order assumed"),
    ("usync", "get", "usync"): Entry(usync.answer, WIRE),
    ("passive", "set", "active"): Entry(session.activate, "docs/whatsapp.md §17"),
    ("passive", "set", "passive"): Entry(session.deactivate, "client's source; effect assumed"),
    ("w:sync:app:state", "set", "sync"): Entry(app_state.exchange, "docs/whatsapp.md §19"),
    ("w:profile:picture", "get", "picture"): Entry(account.picture, WIRE),
    ("w:m", "set", "media_conn"): Entry(account.media, WIRE),
    ("w:m", "get", "media_conn"): Entry(account.media, WIRE),
    ("privacy", "get", "privacy"): Entry(account.privacy, WIRE + "; values assumed"),
    ("privacy", "set", "tokens"): Entry(trusted.issued, "client's source; effect assumed"),
    ("blocklist", "get", ""): Entry(account.blocklist, WIRE + "; hash assumed"),
    ("md", "set", "remove-companion-device"): Entry(account.remove_device, WIRE),
    ("abt", "get", "props"): Entry(account.properties, WIRE + "; contents assumed"),
    ("w:g2", "get", ""): Entry(groups.get, "docs/whatsapp.md §23 (client's parser)"),
    ("w:g2", "set", ""): Entry(groups.change, "docs/whatsapp.md §23 (client's parser); refusals assumed"),
    ("w:p", "get", ""): Entry(account.nothing, WIRE),
}
