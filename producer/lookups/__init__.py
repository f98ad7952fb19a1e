"""Which streamer is looked up next, and when: one budget an egress, spent where it is likeliest to find a live."""
