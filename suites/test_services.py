"""Every service runs, and what health says of itself is confirmed elsewhere."""
