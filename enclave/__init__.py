"""The enclave: holds the keys and the WhatsApp sessions. Imports nothing else of the product."""
