"""What happened to an instance: its vocabulary (events), their sum (state) and their record."""
