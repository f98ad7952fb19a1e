"""What a worker costs, measured: this tree beside a commit, in turns, on the same rooms and the same Kafka."""
