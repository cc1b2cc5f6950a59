"""What an instance does, waits for or has died of: pure conclusions from its session's state."""
