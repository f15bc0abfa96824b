"""Interception of workflow code: imported by workers that have interceptors, and by nothing else."""
