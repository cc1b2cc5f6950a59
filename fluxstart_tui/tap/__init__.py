"""A proxy between a launcher's PMI server and a broker, to be run on every rank by the launcher."""
