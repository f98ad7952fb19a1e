from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class Personal(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NOTHING: _ClassVar[Personal]
    PERSON: _ClassVar[Personal]
    PICTURE: _ClassVar[Personal]
    SLOT: _ClassVar[Personal]
    LINK: _ClassVar[Personal]
NOTHING: Personal
PERSON: Personal
PICTURE: Personal
SLOT: Personal
LINK: Personal
PERSONAL_FIELD_NUMBER: _ClassVar[int]
personal: _descriptor.FieldDescriptor
