"""Writes the bill of materials of the Windows programs, as SPDX 2.3 in JSON.

    sbom.py PROGRAMS VERSION VERSIONS OUT poold="-lcurl ..." poolctl="-lcurl ..."

PROGRAMS is the folder with the programs; VERSIONS the file in which tests/windows/libraries.sh
says what it built; then come the libraries that the Makefile links to each program.  The same
input gives the same file.
"""

import hashlib
import json
import pathlib
import re
import subprocess
import sys
import urllib.parse

# Debian's source package of each library that becomes a part of a program, and its licence.
LIBRARIES = {
    'microhttpd': ('libmicrohttpd', 'LGPL-2.1-or-later'),
    'gnutls': ('gnutls28', 'LGPL-2.1-or-later'),
    'hogweed': ('nettle', 'LGPL-3.0-or-later OR GPL-2.0-or-later'),
    'nettle': ('nettle', 'LGPL-3.0-or-later OR GPL-2.0-or-later'),
    'gmp': ('gmp', 'LGPL-3.0-or-later OR GPL-2.0-or-later'),
    'jansson': ('jansson', 'MIT'),
    'yaml': ('libyaml', 'MIT'),
    'sqlite3': ('sqlite3', 'blessing'),
    'curl': ('curl', 'curl'),
    'cares': ('c-ares', 'MIT'),
    'pthread': ('mingw-w64', 'NOASSERTION'),
}
# What every program that this compiler makes has in it: Debian's package, source, licence.
RUNTIME = [('mingw-w64-x86-64-dev', 'mingw-w64', 'NOASSERTION'),
           ('gcc-mingw-w64-x86-64-win32-runtime', 'gcc-mingw-w64',
            'GPL-3.0-or-later WITH GCC-exception-3.1')]
# Parts of Windows.
SYSTEM = {'pdh', 'ws2_32', 'iphlpapi', 'crypt32', 'ncrypt', 'bcrypt', 'advapi32', 'secur32',
          'normaliz'}


def identifier(name):
    return 'SPDXRef-' + re.sub(r'[^A-Za-z0-9.-]', '-', name)


def installed(package):
    return subprocess.run(['dpkg-query', '-W', '-f', '${source:Version}', package], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def package(name, version, licence):
    source = urllib.parse.quote(version, safe='')
    return {
        'SPDXID': identifier(name), 'name': name, 'versionInfo': version,
        'supplier': 'Organization: Debian', 'downloadLocation': 'NOASSERTION',
        'filesAnalyzed': False, 'licenseDeclared': licence, 'licenseConcluded': 'NOASSERTION',
        'copyrightText': 'NOASSERTION',
        'externalRefs': [{'referenceCategory': 'PACKAGE-MANAGER', 'referenceType': 'purl',
                          'referenceLocator': f'pkg:deb/debian/{name}@{source}?arch=source'}],
    }


def parts(linked, versions):
    """The packages that are in a program."""
    found = {source: package(source, installed(name), licence)
             for name, source, licence in RUNTIME}
    for word in linked.split():
        name = word.removeprefix('-l')
        if name in SYSTEM:
            continue
        if name not in LIBRARIES:
            sys.exit(f'sbom.py: what is {word}? Add it to LIBRARIES or SYSTEM')
        source, licence = LIBRARIES[name]
        if source in found:
            continue
        if source not in versions:
            sys.exit(f'sbom.py: the version of {source} is not known')
        found[source] = package(source, versions[source], licence)
    return found


def file(path):
    text = path.read_bytes()
    return {'SPDXID': identifier(path.name), 'fileName': f'./{path.name}', 'fileTypes': ['BINARY'],
            'checksums': [{'algorithm': name.upper(),
                           'checksumValue': hashlib.new(name, text).hexdigest()}
                          for name in ('sha1', 'sha256')],
            'licenseConcluded': 'NOASSERTION', 'copyrightText': 'NOASSERTION'}


def main(programs, version, versions, out, *linked):
    known = dict(line.split() for line in pathlib.Path(versions).read_text().splitlines())
    files, packages, relations = [], {}, []

    def relate(one, kind, other):
        relations.append({'spdxElementId': one, 'relationshipType': kind,
                          'relatedSpdxElement': other})

    own = identifier('poolctl-for-windows')
    relate('SPDXRef-DOCUMENT', 'DESCRIBES', own)
    for name, libraries in sorted(word.split('=', 1) for word in linked):
        program = file(pathlib.Path(programs) / f'{name}.exe')
        files.append(program)
        relate(own, 'CONTAINS', program['SPDXID'])
        for source, one in sorted(parts(libraries, known).items()):
            packages[source] = one
            relate(program['SPDXID'], 'STATIC_LINK', one['SPDXID'])
    digest = hashlib.sha256(json.dumps([files, packages], sort_keys=True).encode()).hexdigest()
    document = {
        'spdxVersion': 'SPDX-2.3', 'dataLicense': 'CC0-1.0', 'SPDXID': 'SPDXRef-DOCUMENT',
        'name': f'poolctl-{version}-windows',
        'documentNamespace': f'https://spdx.org/spdxdocs/poolctl-{version}-{digest[:32]}',
        'creationInfo': {'created': '2026-01-01T00:00:00Z',
                         'creators': ['Organization: The poolctl authors', 'Tool: sbom.py']},
        'packages': [{'SPDXID': own, 'name': 'poolctl', 'versionInfo': version,
                      'supplier': 'Organization: The poolctl authors',
                      'downloadLocation': 'NOASSERTION', 'filesAnalyzed': False,
                      'licenseDeclared': 'MIT', 'licenseConcluded': 'MIT',
                      'copyrightText': 'Copyright (c) 2026 the poolctl authors'},
                     *(packages[source] for source in sorted(packages))],
        'files': files, 'relationships': relations,
    }
    out = pathlib.Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(document, indent=1) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main(*sys.argv[1:])
