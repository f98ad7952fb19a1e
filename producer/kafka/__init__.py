"""Kafka's clients, whoever uses them: how their connections are secured, and why there are none."""
