"""One live WhatsApp session in a process of its own, and what the broker needs to start and order it about."""
