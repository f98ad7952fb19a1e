"""How a socket to a room is obtained: a door each.

Owns what each way in asks for before it has an address. Assumes that whoever opens a socket at an address tells what
became of it. A refusal is honoured where it was given: nothing here looks for another address to get round it.

Leaves to others what is said on the socket.
"""
