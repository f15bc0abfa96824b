"""Histories recorded from runs of the official SDK, and the workflows that made them: see README.md."""
