"""What a failure says of the door that it was met at; pure. Facts: doors sheet section 6."""

from enum import Enum

from producer.errors import FailedConnection, FailedHTTPRequest, FailedRoomPolling, ProducerError, Reason

YOUNG_SECONDS = 30.0
"""A socket that is closed so soon after its opening tells against its door."""


class Says(Enum):
    """What of a door."""

    SHUT = "it lets nobody in"
    DOUBT = "nothing by itself; several of them, that it lets nobody in"
    NOTHING = "nothing: it is the room's matter, or ours"


OF_A_REASON = {
    Reason.APP_ID: Says.SHUT,
    Reason.BLOCKED: Says.SHUT,
    Reason.CREDENTIALS: Says.SHUT,
    Reason.ENTITLEMENT: Says.SHUT,
    Reason.HOST_REFUSED: Says.SHUT,
    Reason.RATE_LIMITED: Says.SHUT,
    Reason.SWITCHED_OFF: Says.SHUT,
    Reason.UNSIGNED: Says.SHUT,
    Reason.LOGIN: Says.NOTHING,
    Reason.NO_DOOR: Says.NOTHING,
    Reason.OFFLINE: Says.NOTHING,
    Reason.PROXY: Says.NOTHING,
}
"""Every other reason is a doubt."""


def says(error: ProducerError, *, lived_seconds: float) -> Says:
    """What a failure says of its door; `lived_seconds`: how long its socket was open (0: it did not open)."""
    if not isinstance(error, FailedConnection | FailedHTTPRequest):
        return Says.NOTHING
    if isinstance(error, FailedRoomPolling) and error.reason is not Reason.SWITCHED_OFF:
        # Lost once it was open: sockets end. A deaf one, and one that ends young, may be what is given to us here.
        return Says.DOUBT if error.reason is Reason.SILENCE or lived_seconds < YOUNG_SECONDS else Says.NOTHING
    return OF_A_REASON.get(error.reason, Says.DOUBT)
