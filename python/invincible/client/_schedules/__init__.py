"""Schedules: workflows that the server starts by the calendar."""
