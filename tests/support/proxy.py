"""A bad network: HTTP proxies on loopback that pass on, delay, and cut what goes through.

A fault is drawn for each request.  Whoever makes the network says what may happen, and how
often.
"""

import asyncio
import collections
import contextlib
import re
import threading

from sessions import LIMIT

LENGTH = re.compile(rb'^content-length: *(\d+)', re.I | re.M)
CLOSED = (OSError, EOFError, asyncio.LimitOverrunError)


class Request:
    def __init__(self, text):
        self.text = text
        self.method, self.path, _ = text.split(b'\r\n', 1)[0].decode().split(' ')

    def drain(self):
        """The id of the drain that it is about, or None."""
        found = re.match('/v1/drains/([^?]+)', self.path)
        return found and found[1]

    def is_reserve(self):
        return self.method == 'PUT' and re.search(rb'"phase": *"reserved"', self.text) is not None

    def is_commit(self):
        return self.method == 'PUT' and not self.is_reserve()


class Fault:
    """What may become of a request; as it is, nothing does.

    before() takes until the request is passed on, after() until its answer is; if one says
    false, the connection is cut instead.
    """

    def __init__(self, name):
        self.name = name

    async def before(self, request):
        return True

    async def after(self, request):
        return True


class Late(Fault):
    def __init__(self, name, seconds):
        super().__init__(name)
        self.seconds = seconds

    async def before(self, request):
        await asyncio.sleep(self.seconds)
        return True


class LateAnswer(Late):
    async def before(self, request):
        return True

    async def after(self, request):
        await asyncio.sleep(self.seconds)
        return True


class Cut(Fault):
    async def before(self, request):
        return False


class AnswerCut(Fault):
    async def after(self, request):
        return False


async def read_message(reader):
    """A request or a reply, to its end."""
    head = await reader.readuntil(b'\r\n\r\n')
    length = LENGTH.search(head)
    return head + (await reader.readexactly(int(length[1])) if length else b'')


class Network:
    """Passes on what comes to `port` of each address to its `target_port`.

    `draw(address, request)` gives the Fault of a request; passing(address, request) is a
    context for the time from when it is passed on until it is answered.  A request whose
    client is gone meanwhile arrives all the same, as it would in a network.
    """

    def __init__(self, addresses, port, target_port, draw,
                 passing=lambda address, request: contextlib.nullcontext()):
        self.addresses, self.port, self.target_port = addresses, port, target_port
        self.draw, self.passing = draw, passing
        self.faults = collections.Counter()
        self.failures = []
        self.tasks = set()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)

    def __enter__(self):
        self.thread.start()
        for address in self.addresses:
            self.call(self.listen(address))
        return self

    def __exit__(self, *_):
        self.call(self.end_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(LIMIT)
        self.loop.close()

    def call(self, what):
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(LIMIT)

    async def listen(self, address):
        async def serve(reader, writer):
            self.tasks.add(asyncio.current_task())
            try:
                await self.serve(address, reader, writer)
            except CLOSED:
                pass
            except Exception as error:  # for the test to see
                self.failures.append(error)
            finally:
                self.tasks.discard(asyncio.current_task())
                writer.close()
        self.tasks.add(await asyncio.start_server(serve, address, self.port))

    async def end_all(self):
        for each in list(self.tasks):
            each.close() if isinstance(each, asyncio.Server) else each.cancel()
        await asyncio.sleep(0)

    async def serve(self, address, reader, writer):
        """One connection, with one of its own to the target."""
        target = None
        try:
            while True:
                request = Request(await read_message(reader))
                fault = self.draw(address, request)
                self.faults[fault.name] += 1
                if not await fault.before(request):
                    return
                target = target or await asyncio.open_connection(address, self.target_port)
                with self.passing(address, request):
                    target[1].write(request.text)
                    reply = await read_message(target[0])
                if not await fault.after(request):
                    return
                writer.write(reply)
                await writer.drain()
        finally:
            if target:
                target[1].close()
