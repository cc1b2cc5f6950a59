"""What is printed of sessions: post-mortem summaries and listings, plain text or JSON."""
