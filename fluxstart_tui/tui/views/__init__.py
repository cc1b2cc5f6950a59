"""What one can look at, one view a file."""
