"""Parts that need packages of their own: each is an extra of the same name, and nothing else relies on it."""
