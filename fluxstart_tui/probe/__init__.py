"""What a host knows of processes on it: read-only, bounded, for engine, reports and views."""
