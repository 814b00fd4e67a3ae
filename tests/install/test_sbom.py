"""The bill of materials of the Windows programs."""

import hashlib
import json
import re
import subprocess

import pytest

import pool as pools

WINDOWS = pools.ROOT / 'build/windows'
SCRIPT = pools.ROOT / 'daemon/packaging/sbom.py'
# Where a program itself says which version of a library it has in it.
SAID = {'sqlite3': rb'\0(3\.\d+\.\d+)\0', 'gnutls28': rb'GnuTLS (3\.\d+\.\d+)\b',
        'libmicrohttpd': rb'\0(0\.9\.\d+)\0', 'libyaml': rb'\0(0\.2\.\d+)\0'}


@pytest.fixture(scope='module')
def document():
    if not (WINDOWS / 'poold.exe').exists():
        pytest.skip('the programs for Windows are not built: make windows')
    done = subprocess.run(['make', '-C', pools.ROOT, 'sbom'], capture_output=True, text=True,
                          timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    [path] = (pools.ROOT / 'build/packages').glob('*.spdx.json')
    return json.loads(path.read_text())


def test_it_is_of_these_programs(document):
    files = {one['fileName'].removeprefix('./'): one for one in document['files']}
    assert set(files) == {'poold.exe', 'poolctl.exe'}
    for name, one in files.items():
        text = (WINDOWS / name).read_bytes()
        assert {each['algorithm']: each['checksumValue'] for each in one['checksums']} == {
            'SHA1': hashlib.sha1(text).hexdigest(), 'SHA256': hashlib.sha256(text).hexdigest()}


def test_every_reference_leads_somewhere(document):
    named = [document, *document['packages'], *document['files']]
    identifiers = [one['SPDXID'] for one in named]
    assert len(set(identifiers)) == len(identifiers)
    assert all(re.fullmatch(r'SPDXRef-[A-Za-z0-9.-]+', one) for one in identifiers)
    for relation in document['relationships']:
        assert {relation['spdxElementId'], relation['relatedSpdxElement']} <= set(identifiers)
    assert document['spdxVersion'] == 'SPDX-2.3' and document['dataLicense'] == 'CC0-1.0'
    for key in ('name', 'documentNamespace', 'creationInfo'):
        assert document[key]


def test_each_library_has_the_version_that_is_in_the_program(document):
    packages = {one['name']: one['versionInfo'] for one in document['packages']}
    assert set(packages) >= {'poolctl', 'curl', 'sqlite3', 'gnutls28', 'libmicrohttpd', 'nettle',
                             'gmp', 'jansson', 'libyaml', 'c-ares', 'mingw-w64', 'gcc-mingw-w64'}
    text = (WINDOWS / 'poold.exe').read_bytes()
    for name, pattern in SAID.items():
        said = {version.decode() for version in re.findall(pattern, text)}
        upstream = re.match(r'(?:\d+:)?([\d.]+)', packages[name])[1]
        assert upstream in said, (name, said)


def test_each_program_has_its_own_libraries(document):
    linked = {(one['spdxElementId'], one['relatedSpdxElement'])
              for one in document['relationships'] if one['relationshipType'] == 'STATIC_LINK'}
    assert ('SPDXRef-poold.exe', 'SPDXRef-sqlite3') in linked
    assert ('SPDXRef-poolctl.exe', 'SPDXRef-c-ares') in linked
    assert ('SPDXRef-poolctl.exe', 'SPDXRef-sqlite3') not in linked


@pytest.mark.parametrize('libraries,versions,why', [
    ('-lnew', 'curl 1', 'what is -lnew'), ('-lcurl', 'gmp 1', 'version of curl is not known')])
def test_what_is_not_known_is_no_bill(tmp_path, libraries, versions, why):
    (tmp_path / 'poold.exe').write_bytes(b'')
    (tmp_path / 'versions').write_text(versions)
    done = subprocess.run(['/usr/bin/python3', SCRIPT, tmp_path, '1.0.0', tmp_path / 'versions',
                           tmp_path / 'out', f'poold={libraries}'], capture_output=True, text=True)
    if 'dpkg-query' in done.stderr:
        pytest.skip('the compiler for Windows is not installed')
    assert done.returncode != 0 and why in done.stderr and not (tmp_path / 'out').exists()
