"""What `run.py` is made of: set-up, measurements, table."""
