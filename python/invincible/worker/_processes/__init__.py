"""Worker processes: what starts them, watches over them, and has them end; and what runs in them."""
