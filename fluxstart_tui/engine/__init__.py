"""What flux start does: launch, serve PMI, supervise, end, clean up. No UI."""
