"""Finding workflows: lists and counts by query."""
