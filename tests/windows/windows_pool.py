"""A pool of Windows servers under Wine, each with a test service and poold as a service.

poolctl runs on Linux, as on an admin's machine.
"""

import pool
from wine import ROOT, windows_path

POOLD = ROOT / 'build/windows/poold.exe'


class WindowsServer(pool.Server):
    """One machine of the pool: its test service, its poold."""

    def __init__(self, pool, name, machine):
        super().__init__(pool, name, machine.address)
        self.machine = machine

    is_here = False

    def credential_file(self):
        return (self.machine.prefix / 'drive_c/ProgramData/poolctl/state/local' /
                f'{self.address}-{self.pool.api_port}')

    def configure_poold(self):
        """Writes poold.yaml to its standard place."""
        folder = self.machine.prefix / 'drive_c/ProgramData/poolctl'
        folder.mkdir(parents=True, exist_ok=True)
        (folder / 'poold.yaml').write_text(
            f'server: {self.name}\npool_file: \'{windows_path(self.pool.file)}\'\n'
            f'tick: {self.pool.tick}\n')

    def install_poold(self):
        """Registers poold as a service that starts at boot, and starts it."""
        self.configure_poold()
        self.poold('install')
        self.machine.scm('start', 'poold')
        self.machine.wait_state('poold', 'running')
        self.wait_answer()

    def poold(self, *command, **options):
        return self.machine.run([POOLD, *command], **options)

    def log(self):
        path = self.machine.prefix / 'drive_c/ProgramData/poolctl/state/poold.log'
        return path.read_text() if path.exists() else ''


class WindowsPool(pool.Pool):
    def __init__(self, folder, machines, **options):
        super().__init__(folder, **options)
        self.servers = [WindowsServer(self, f'frontend{i:02}', machine)
                        for i, machine in enumerate(machines, 1)]
        self.write()
