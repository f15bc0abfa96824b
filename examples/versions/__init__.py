"""Two versions of a worker side by side: pinned and upgrading workflows, a ramp, a patch, and the end of a version."""
