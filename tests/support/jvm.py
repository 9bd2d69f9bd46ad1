"""Write tiny Java programs without a JDK.

A class written here has one method, ``public static void main(String[])``,
which prints fixed lines. The class file's version is 49 (Java 5), the last
one without stack map frames, and every JRE since 1.5 still runs it. The forms
are those of the Java Virtual Machine Specification, chapter 4 (class files,
4.4 for the constant pool, 4.7.3 for code), and section 6.5 for the opcodes.
"""

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence

CLASS_VERSION = 49
EPOCH = (2006, 10, 4, 12, 0, 0)
"""The time of every member of a jar, so that the same classes give the same bytes."""

_UTF8, _CLASS, _STRING, _FIELD, _METHOD, _NAME_AND_TYPE = 1, 7, 8, 9, 10, 12
_PUBLIC, _STATIC, _FINAL, _SUPER = 0x0001, 0x0008, 0x0010, 0x0020
_LDC_W, _RETURN, _GETSTATIC, _INVOKEVIRTUAL = 0x13, 0xB1, 0xB2, 0xB6


class _Pool:
    """A constant pool: each distinct entry once, counted from 1."""

    def __init__(self) -> None:
        self._entries: dict[bytes, int] = {}

    def _add(self, entry: bytes) -> int:
        return self._entries.setdefault(entry, len(self._entries) + 1)

    def utf8(self, text: str) -> int:
        data = text.encode("ascii")  # where Java's modified UTF-8 and UTF-8 agree
        return self._add(struct.pack(">BH", _UTF8, len(data)) + data)

    def klass(self, name: str) -> int:
        return self._add(struct.pack(">BH", _CLASS, self.utf8(name)))

    def string(self, text: str) -> int:
        return self._add(struct.pack(">BH", _STRING, self.utf8(text)))

    def member(self, kind: int, owner: str, name: str, descriptor: str) -> int:
        pair = struct.pack(">BHH", _NAME_AND_TYPE, self.utf8(name), self.utf8(descriptor))
        return self._add(struct.pack(">BHH", kind, self.klass(owner), self._add(pair)))

    def dump(self) -> bytes:
        return struct.pack(">H", len(self._entries) + 1) + b"".join(self._entries)


def class_file(name: str, lines: Sequence[str]) -> bytes:
    """Return the class ``name``, whose ``main`` prints ``lines`` on standard output.

    ``name`` is dotted, as on java's command line; the lines are ASCII, each
    under 64 KiB, and their code must stay under 64 KiB: about 7,000 lines.
    """
    pool = _Pool()
    this, parent = pool.klass(name.replace(".", "/")), pool.klass("java/lang/Object")
    out = pool.member(_FIELD, "java/lang/System", "out", "Ljava/io/PrintStream;")
    println = pool.member(_METHOD, "java/io/PrintStream", "println", "(Ljava/lang/String;)V")
    code = b"".join(
        struct.pack(">BHBHBH", _GETSTATIC, out, _LDC_W, pool.string(line), _INVOKEVIRTUAL, println)
        for line in lines
    ) + bytes([_RETURN])
    # max_stack 2 (the stream and the line), max_locals 1 (the arguments)
    body = struct.pack(">HHI", 2, 1, len(code)) + code + struct.pack(">HH", 0, 0)
    main = struct.pack(
        ">HHHHHI",
        _PUBLIC | _STATIC,
        pool.utf8("main"),
        pool.utf8("([Ljava/lang/String;)V"),
        1,
        pool.utf8("Code"),
        len(body),
    )
    flags = _PUBLIC | _FINAL | _SUPER
    return b"".join(
        (
            struct.pack(">IHH", 0xCAFEBABE, 0, CLASS_VERSION),
            pool.dump(),
            struct.pack(">HHHHH", flags, this, parent, 0, 0),  # no interfaces, no fields
            struct.pack(">H", 1) + main + body,
            struct.pack(">H", 0),  # no attributes of the class
        )
    )


def jar(programs: Mapping[str, Sequence[str]]) -> bytes:
    """Return a jar with a class for each dotted name, which prints its lines.

    The same programs give the same bytes, whatever their order.
    """
    members = {"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\r\n\r\n"}
    for name in sorted(programs):
        members[name.replace(".", "/") + ".class"] = class_file(name, programs[name])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in members.items():
            info = zipfile.ZipInfo(path, EPOCH)
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            archive.writestr(info, data)
    return buffer.getvalue()
