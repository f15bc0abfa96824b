"""Histories recorded from real runs, and the workflows that made them."""
