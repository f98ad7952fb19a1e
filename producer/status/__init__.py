"""The live view of a fleet, from Kafka alone."""
