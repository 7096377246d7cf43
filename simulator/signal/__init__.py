"""The Signal protocol (version 3, as WhatsApp uses it) for simulated phones. Sans-I/O."""
