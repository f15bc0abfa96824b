"""Standalone activities, which run without a workflow, and activities that are completed from outside."""
