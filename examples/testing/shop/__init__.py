"""A shop that waits for its money."""
