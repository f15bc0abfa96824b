"""Resetting workflows: a new run goes on from a point in the history of an old one."""
