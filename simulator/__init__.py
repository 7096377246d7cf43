"""A local WhatsApp: server, phones and faults, for the demo and the tests. Never imported by the product."""
