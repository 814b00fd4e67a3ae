"""Whether the built programs have the protections that compiler and linker offer."""

import re
import shutil
import subprocess

import pytest

import pool as pools

NATIVE = pools.ROOT / 'build/native'
WINDOWS = pools.ROOT / 'build/windows'
MIB = 2 ** 20
# They are in System32 on every Windows Server.
SYSTEM_LIBRARIES = {
    'advapi32', 'bcrypt', 'crypt32', 'iphlpapi', 'kernel32', 'msvcrt', 'ncrypt', 'normaliz', 'pdh',
    'secur32', 'shell32', 'user32', 'ws2_32', 'wldap32', 'ole32'}


def run(*args):
    return subprocess.run(args, capture_output=True, text=True, check=True).stdout


def lacks(program):
    """The protections that a Linux program does not have."""
    headers = run('readelf', '--wide', '-h', '-l', '-d', '-n', program)
    symbols = run('readelf', '--wide', '--dyn-syms', program)
    wanted = {
        'PIE': re.search(r'Type: +DYN', headers) and 'Flags: NOW PIE' in headers,
        'RELRO': 'GNU_RELRO' in headers,
        'BIND_NOW': re.search(r'\(FLAGS\) +BIND_NOW', headers),
        'a stack that is no code': re.search(r'GNU_STACK .* RW ', headers),
        'the stack protector': '__stack_chk_fail' in symbols,
        'fortify': re.search(r'__\w+_chk@', symbols.replace('__stack_chk_fail', '')),
        'no path to libraries': not re.search(r'R(UN)?PATH', headers),
        'no segment that is data and code': not re.search(r'^  LOAD .* RWE ', headers, re.M),
    }
    return {what for what, is_there in wanted.items() if not is_there}


@pytest.mark.parametrize('name', ['poold', 'poolctl'])
def test_a_linux_program_is_hardened(name):
    assert lacks(NATIVE / name) == set()


def test_what_is_not_hardened_is_found(tmp_path):
    source = tmp_path / 'bare.c'
    source.write_text('int main(int n, char **v) { return n + !v; }\n')
    subprocess.run(['gcc', '-O0', '-fno-stack-protector', '-no-pie', '-Wl,-z,norelro,-z,lazy',
                    '-Wl,-z,execstack', '-o', tmp_path / 'bare', source], check=True)
    assert lacks(tmp_path / 'bare') >= {'PIE', 'RELRO', 'BIND_NOW', 'a stack that is no code',
                                        'the stack protector', 'fortify'}


@pytest.fixture(scope='module', params=['poold', 'poolctl'])
def windows_program(request):
    program = WINDOWS / f'{request.param}.exe'
    if not shutil.which('x86_64-w64-mingw32-objdump') or not program.exists():
        pytest.skip('the programs for Windows are not built: make windows')
    return program


def lacks_on_windows(program):
    headers = run('x86_64-w64-mingw32-objdump', '-p', '-h', program)
    text = program.read_bytes()
    wanted = {
        'high entropy': 'HIGH_ENTROPY_VA' in headers,
        'ASLR': 'DYNAMIC_BASE' in headers and '.reloc' in headers,
        'DEP': 'NX_COMPAT' in headers,
        'the stack protector': b'stack smashing detected' in text,
        'fortify': b'buffer overflow detected' in text,
        'libraries of System32 alone': re.search(r'\bSetDefaultDllDirectories\b', headers),
        'no time of the build': re.search(r'Time/Date\s+Thu Jan +1 00:00:00 1970', headers),
    }
    return {what for what, is_there in wanted.items() if not is_there}


def test_a_windows_program_is_hardened(windows_program):
    assert lacks_on_windows(windows_program) == set()


def test_what_is_not_hardened_on_windows_is_found(windows_program, tmp_path):
    source = tmp_path / 'bare.c'
    source.write_text('int main(int n, char **v) { return n + !v; }\n')
    subprocess.run(['x86_64-w64-mingw32-gcc', '-o', tmp_path / 'bare.exe', source,
                    '-Wl,--disable-dynamicbase,--disable-nxcompat,--disable-high-entropy-va'],
                   check=True)
    assert len(lacks_on_windows(tmp_path / 'bare.exe')) == 7


def test_a_windows_program_needs_windows_alone(windows_program):
    headers = run('x86_64-w64-mingw32-objdump', '-p', windows_program)
    needed = {name.lower() for name in re.findall(r'DLL Name: (\S+)\.(?:dll|DLL)', headers)}
    assert needed and needed <= SYSTEM_LIBRARIES, needed - SYSTEM_LIBRARIES


def test_a_windows_program_has_its_version(windows_program):
    version = re.search(r'^VERSION := (.*)$', (pools.ROOT / 'Makefile').read_text(), re.M)[1]
    text = windows_program.read_bytes()
    for key, value in {'FileVersion': version, 'ProductVersion': version, 'ProductName': 'poolctl',
                       'OriginalFilename': windows_program.name}.items():
        pattern = key.encode('utf-16-le') + b'(?:\0\0)+' + value.encode('utf-16-le') + b'\0\0'
        assert re.search(pattern, text), key
    # VS_FIXEDFILEINFO: its signature and version, then that of the file, two words at a time.
    at = text.index(bytes.fromhex('bd04effe')) + 8
    words = [int.from_bytes(text[at + i:at + i + 2], 'little') for i in (2, 0, 6, 4)]
    assert words == [*map(int, version.split('.')), 0]


def test_the_windows_programs_are_small(windows_program):
    limit = {'poold.exe': 6 * MIB, 'poolctl.exe': 4 * MIB}[windows_program.name]
    assert windows_program.stat().st_size <= limit
