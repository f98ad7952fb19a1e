"""What `producer check` looks at: whether a worker with these settings would work, found out without starting one.

Each check asks what the worker itself asks at its start, through the same functions; what is here is only the
judgement, and what to do about it. A check changes nothing: no topic, schema, record or claim is made.

Assumes settings that could be read. Leaves the order, and what is printed, to `rounds` and the command line.
"""
