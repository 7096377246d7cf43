// What is being written, kept in this browser per person until it is sealed: it outlives a reload, a closed tab, a
// sign-out. Each open page has a draft of its own and holds its lock, so that two tabs never write over each other.
const PREFIX = "autosendr/draft/";
const OF_TAB = "autosendr/draft-of-tab";
const DRAFTS_MAX = 10;
const KEPT_MS = 30 * 24 * 3600 * 1000;
// A reload may ask for the lock before the page that went has let it go; a copied tab asks in vain.
const RELOAD_MS = 500;

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

// Newest first; what is too old, too many or unreadable is dropped.
function stored(user) {
  const prefix = `${PREFIX}${user}/`;
  const keys = Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  const found = keys.map((key) => ({ ...read(key), id: key.slice(prefix.length) })).sort((a, b) => (b.at ?? 0) - (a.at ?? 0));
  const kept = found.filter((one, index) => index < DRAFTS_MAX && one.at > Date.now() - KEPT_MS);
  for (const one of found) if (!kept.includes(one)) localStorage.removeItem(prefix + one.id);
  return kept;
}

// Whether this page now holds the draft, until it goes.
function hold(id, options) {
  return new Promise((resolve) => {
    const held = (lock) => {
      resolve(Boolean(lock));
      return lock && new Promise(() => {});
    };
    navigator.locks.request(PREFIX + id, options, held).catch(() => resolve(false));
  });
}

// The draft of this page: the one that this tab had, else the newest that no other page has open, else a new one. Of
// those that fits() says yes to. `value`: what was kept, or null.
export async function takeDraft(user, fits) {
  try {
    const drafts = stored(user).filter(fits);
    const own = drafts.find((one) => one.id === sessionStorage.getItem(OF_TAB));
    if (own && (await hold(own.id, { signal: AbortSignal.timeout(RELOAD_MS) }))) return draft(user, own.id, own);
    for (const one of drafts) {
      if (await hold(one.id, { ifAvailable: true })) return draft(user, one.id, one);
    }
    const id = crypto.randomUUID();
    await hold(id, { ifAvailable: true });
    return draft(user, id, null);
  } catch {
    // A browser that keeps nothing keeps no draft; writing goes on.
    return { value: null, save: () => false, clear: () => {} };
  }
}

function draft(user, id, value) {
  const key = `${PREFIX}${user}/${id}`;
  sessionStorage.setItem(OF_TAB, id);
  return {
    value,
    // Whether it is kept. Without a text there is nothing to keep.
    save(fields) {
      try {
        if (fields.text.trim()) localStorage.setItem(key, JSON.stringify({ ...fields, at: Date.now() }));
        else localStorage.removeItem(key);
        return Boolean(fields.text.trim());
      } catch {
        return false;
      }
    },
    clear() {
      localStorage.removeItem(key);
    },
  };
}
