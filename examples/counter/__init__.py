"""A counter that forgets, and one that does not."""
