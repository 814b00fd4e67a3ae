"""make demo-windows: the demo on three Windows servers under Wine, with the real SCM."""

import contextlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'windows'))
import demo  # noqa: E402
from wine import Machine  # noqa: E402
from pool import DISPLAY, SERVICE  # noqa: E402
from windows_pool import WindowsPool  # noqa: E402

TRY_NEXT = '''  docs/windows.md        what Wine shows, and what needs a real Windows Server
  docs/install.md        build/windows/poold.exe as a service on your own servers
  docs/runbooks.md       patching one server, a whole pool, and use in pipelines'''


@contextlib.contextmanager
def windows_pool(folder):
    with contextlib.ExitStack() as stack:
        machines = [stack.enter_context(Machine(f'{folder}/server{i}', f'127.0.1.{i}'))
                    for i in (1, 2, 3)]
        for machine in machines:
            machine.boot()
        pool = WindowsPool(folder, machines)
        for server in pool.servers:
            server.machine.install(SERVICE, pool.port, display=DISPLAY)
            server.machine.start(SERVICE)
            server.install_poold()
        yield pool


if __name__ == '__main__':
    print('Booting three Windows servers under Wine ...', flush=True)
    sys.exit(demo.main(windows_pool, TRY_NEXT))
