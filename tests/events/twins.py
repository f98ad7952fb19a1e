"""The wire's kinds of message once more, with bytes where they have text, which may be any."""

from collections.abc import Iterable

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import Default, DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass


def with_bytes(kinds: Iterable[type[Message]]) -> dict[type[Message], type[Message]]:
    """Make each kind's twin, by the kind."""
    pool = DescriptorPool()
    for name in ("producer/webcast/wire/webcast.proto", "producer/webcast/wire/kinds.proto"):
        file = FileDescriptorProto()
        Default().FindFileByName(name).CopyToProto(file)
        file.dependency[:] = [other for other in file.dependency if not other.endswith("/personal.proto")]
        kinds_in_it = list(file.message_type)
        for kind in kinds_in_it:
            kinds_in_it += kind.nested_type
            kind.options.map_entry = False  # nothing but bytes would do for its keys, which is what they may not be
            for field in kind.field:
                field.ClearField("options")  # the marks of that file, which say nothing of texts and bytes
                if field.type == field.TYPE_STRING:
                    field.type = field.TYPE_BYTES
        pool.Add(file)
    return {kind: GetMessageClass(pool.FindMessageTypeByName(kind.DESCRIPTOR.full_name)) for kind in kinds}
