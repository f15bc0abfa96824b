"""Standalone Nexus operations: operations that run without a workflow that called them."""
