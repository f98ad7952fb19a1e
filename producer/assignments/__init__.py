"""Who streams whom.

Owns the shared list of streamers and the claims that workers hold on it: which streamers this worker should stream
now, as a whole set and never as commands, so that a missed notice costs one interval and leaks nothing.

Assumes that a worker releases a claim only once its session for that streamer has ended.

Leaves to others what is done for a claimed streamer.
"""
