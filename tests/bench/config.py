"""Benchmark of the loader of pool.yaml, against what libyaml alone needs for the same file."""

import subprocess

from tools import ROOT, compare, in_turn, row, run_once, temporary_folder

PROGRAM = ROOT / 'build/native/tests/load_config'
POOLS, SERVERS = 200, 20
TIMES, ROUNDS = 10, 15


def write_pools(path):
    """Pools as people write them: two services, servers with two keys each."""
    lines = ['pools:']
    for pool in range(POOLS):
        lines += [f'  pool{pool:03}:', f'    fqdn: pool{pool:03}.contoso.com',
                  '    settle: 10s', '    availability: {floor: 50%, max_out: 2}',
                  '    services:', '      RTCSRV:', '        ports: [5060, 5061]',
                  '      RTCMEDSRV:', '        ports: [5067, 5068, 5070]', '    servers:']
        for server in range(SERVERS):
            lines += [f'      fe{pool:03}-{server:02}:',
                      f'        address: 10.{pool}.1.{server + 1}',
                      f'        upgrade_domain: ud{server % 4}']
    path.write_text('\n'.join(lines) + '\n')


def loading():
    """200 pools of 20 servers: time and memory."""
    subprocess.run(['make', '-s', '-C', ROOT, PROGRAM.relative_to(ROOT)], check=True)
    with temporary_folder() as folder:
        file = folder / 'pool.yaml'
        write_pools(file)
        ours, reference = in_turn(
            ROUNDS, *(lambda kind=kind: run_once(PROGRAM, kind, file, str(TIMES)).ru_utime
                      for kind in ('ours', 'bare')))
        held = subprocess.run([PROGRAM, 'ours', file, '1'], capture_output=True, text=True,
                              check=True)
        size = file.stat().st_size
    ms = 1000 / TIMES
    return [compare('load 4,000 servers', 'ms', [each * ms for each in ours],
                    [each * ms for each in reference], 3),
            row('memory of 4,000 servers', 'KiB', int(held.stdout) / 1024, size / 1024, 20)]
