"""What lies over the views for a moment."""
