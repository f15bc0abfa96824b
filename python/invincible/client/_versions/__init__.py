"""Versions of workers: deployments, and the build id sets that they replace."""
