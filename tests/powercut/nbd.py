# SPDX-License-Identifier: Apache-2.0
"""A block device with a volatile write cache, for a virtual machine: an NBD server on a unix socket.

    device = Device("image")              the file is what lies on the platter
    await device.serve("socket")          qemu: -drive file=nbd+unix:///?socket=PATH,format=raw,cache=none
    device.cut(chance)                    the power fails

What is written stays in the cache until a flush (or with FUA, at once); a cut keeps any of the cache's sectors, or
none, or all. That is what NBD promises, and what disks do.
"""
import asyncio
import os
import struct

SECTOR_BYTES = 512
OPTION_EXPORT_NAME, OPTION_ABORT, OPTION_INFO, OPTION_GO = 1, 2, 6, 7
REPLY_ACK, REPLY_INFO, REPLY_UNSUPPORTED = 1, 3, 0x80000001
READ, WRITE, DISCONNECT, FLUSH = range(4)
FUA = 1
HAS_FLAGS, HAS_FLUSH, HAS_FUA = 1, 4, 8
FIXED_NEWSTYLE, NO_ZEROES = 1, 2
INVALID = 22


class Device:
    """One device, for one machine at a time."""

    def __init__(self, path):
        self.file = os.open(path, os.O_RDWR)
        self.bytes = os.fstat(self.file).st_size
        self.cache = {}  # sector: its bytes
        self.server = None
        self.flushes = self.written = 0

    async def serve(self, path):
        self.server = await asyncio.start_unix_server(self.connection, path, limit=1 << 26)

    def close(self):
        if self.server is not None:
            self.server.close()
        os.close(self.file)

    # ------------------------------------------------------------------------ the platter and its cache

    def read(self, offset, count):
        first, data = offset // SECTOR_BYTES, bytearray(os.pread(self.file, count, offset))
        for at in range(0, count, SECTOR_BYTES):
            sector = self.cache.get(first + at // SECTOR_BYTES)
            if sector is not None:
                data[at:at + SECTOR_BYTES] = sector
        return bytes(data)

    def write(self, offset, data):
        self.written += len(data)
        for at in range(0, len(data), SECTOR_BYTES):
            self.cache[(offset + at) // SECTOR_BYTES] = data[at:at + SECTOR_BYTES]

    def flush(self):
        self.flushes += 1
        self.keep(self.cache)

    def keep(self, sectors):
        for sector in sectors:
            os.pwrite(self.file, self.cache[sector], sector * SECTOR_BYTES)
        self.cache = {}

    def cut(self, chance):
        """The words for what was lost."""
        probability = chance.choice((0.0, 0.5, 1.0))
        kept = [sector for sector in sorted(self.cache) if chance.random() < probability]
        words = f"{len(kept)} of {len(self.cache)} unflushed sectors were kept"
        self.keep(kept)
        return words

    # ------------------------------------------------------------------------ the protocol

    async def connection(self, reader, writer):
        try:
            if await self.agree(reader, writer):
                while await self.request(reader, writer):
                    pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the machine was killed
        finally:
            writer.close()

    async def agree(self, reader, writer):
        """The handshake. False: the client left."""
        flags = HAS_FLAGS | HAS_FLUSH | HAS_FUA
        writer.write(b"NBDMAGICIHAVEOPT" + struct.pack(">H", FIXED_NEWSTYLE | NO_ZEROES))
        await reader.readexactly(4)
        while True:
            _, option, count = struct.unpack(">8sII", await reader.readexactly(16))
            await reader.readexactly(count)
            if option == OPTION_EXPORT_NAME:
                writer.write(struct.pack(">QH", self.bytes, flags))
                return True
            if option in (OPTION_INFO, OPTION_GO):
                self.reply(writer, option, REPLY_INFO, struct.pack(">HQH", 0, self.bytes, flags))
            known = option in (OPTION_INFO, OPTION_GO, OPTION_ABORT)
            self.reply(writer, option, REPLY_ACK if known else REPLY_UNSUPPORTED, b"")
            await writer.drain()
            if option in (OPTION_GO, OPTION_ABORT):
                return option == OPTION_GO

    @staticmethod
    def reply(writer, option, kind, data):
        writer.write(struct.pack(">QIII", 0x3e889045565a9, option, kind, len(data)) + data)

    async def request(self, reader, writer):
        """One request, in the order in which they come. False: the client left."""
        _, flags, kind, cookie, offset, count = struct.unpack(">IHHQQI", await reader.readexactly(28))
        data, error = b"", 0
        if kind == READ:
            data = self.read(offset, count)
        elif kind == WRITE:
            self.write(offset, await reader.readexactly(count))
            if flags & FUA:
                self.flush()
        elif kind == FLUSH:
            self.flush()
        elif kind == DISCONNECT:
            return False
        else:
            error = INVALID
        writer.write(struct.pack(">IIQ", 0x67446698, error, cookie) + data)
        await writer.drain()
        return True
