"""What the page takes for granted."""

key = rotated_key = "a key"
