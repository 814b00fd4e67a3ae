"""Builds everything and runs every suite; the last line counts what passed and failed.

    run.py            all suites
    run.py unit windows  some of them

Each suite's output goes to build/log/SUITE.log, and is shown when the suite fails.  Suites
run three at a time: those that use the processor, those that mostly wait, and those that need
Wine.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / 'build'
LOGS = BUILD / 'log'
PYTHON = sys.executable
SANITIZE = 'SANITIZE=address,undefined'
JOBS = f'-j{os.cpu_count()}'


class Suite:
    def __init__(self, name):
        self.name, self.log = name, LOGS / f'{name}.log'
        self.passed = self.failed = self.skipped = 0
        self.problems = []
        self.out = None

    def run(self, *args, **env):
        """Runs a command into the suite's log; its exit status."""
        self.out.write(f'$ {" ".join(map(str, args))}\n')
        self.out.flush()
        return subprocess.run(args, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=self.out,
                              stderr=subprocess.STDOUT, env=os.environ | env).returncode

    def step(self, what, *args, **env):
        """A command that passes or fails as a whole."""
        if self.run(*args, **env):
            self.fail(what)
        else:
            self.passed += 1

    def fail(self, what):
        self.failed += 1
        self.problems.append(what)

    def results(self, path, what, status):
        """Adds the results that a runner wrote as JUnit XML."""
        if not path.exists():
            return self.fail(f'{what}: no result, exit status {status}')
        bad = 0
        for case in xml.etree.ElementTree.parse(path).iter('testcase'):
            name = f'{what}: {case.get("name")}'
            if case.find('failure') is not None or case.find('error') is not None:
                bad += 1
                self.fail(name)
            elif (skip := case.find('skipped')) is not None:
                self.skipped += 1
                self.problems.append(f'{name} was skipped: {skip.get("message", "no reason")}')
            else:
                self.passed += 1
        # A sanitizer's report after the last test, for instance.
        if status and not bad:
            self.fail(f'{what}: exit status {status}')

    def count(self, *args):
        """Adds what the last line of a command counts."""
        status = self.run(*args)
        lines = self.log.read_text(encoding='utf-8').splitlines()
        counts = re.fullmatch(r'(\d+) passed, (\d+) failed(?:, (\d+) skipped)?', lines[-1])
        if not counts:
            return self.fail(f'{self.name}: no result, exit status {status}')
        self.passed, self.failed, self.skipped = (int(count or 0) for count in counts.groups())
        self.problems += [line for line in lines if line.startswith(('FAILED: ', 'skipped: '))]

    def pytest(self, *args, jobs=1, **env):
        """Runs tests; as many at a time as there are jobs."""
        path = LOGS / f'{self.name}.xml'
        path.unlink(missing_ok=True)
        status = self.run(PYTHON, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', '-o',
                          'junit_family=xunit2', f'--junitxml={path}',
                          *(['-n', str(jobs)] if jobs > 1 else []), *args, **env)
        self.results(path, self.name, status)

    def make(self, *args):
        return self.run('make', '--no-print-directory', JOBS, *args)


def programs(suite):
    """Every compiler, native and for Windows, without a warning."""
    suite.step('gcc', 'make', '--no-print-directory', JOBS, 'programs', 'man',
               'build/native/tests/fault.so', 'build/native/tests/crowd')
    suite.step('sanitizers', 'make', '--no-print-directory', JOBS, SANITIZE, 'programs',
               'unit-tests', 'test-tools')
    suite.step('mingw-w64', 'make', '--no-print-directory', JOBS, 'windows', 'windows-tests')


def clang(suite):
    suite.step('clang', 'make', '--no-print-directory', JOBS, 'CC=clang', 'programs')


def fuzz(suite):
    suite.step('fuzz', 'make', '--no-print-directory', 'fuzz', 'FUZZ_SECONDS=30')


def lint(suite):
    suite.step('lint', 'make', '--no-print-directory', 'lint')


def run_unit_tests(suite, tests, *before, **env):
    for test in sorted(tests):
        path = LOGS / f'{suite.name}_{test.name}.xml'
        path.unlink(missing_ok=True)
        status = suite.run(*before, test, CMOCKA_MESSAGE_OUTPUT='xml',
                           CMOCKA_XML_FILE=str(path), **env)
        suite.results(path, test.name, status)


def unit(suite):
    run_unit_tests(suite, (BUILD / 'sanitized/tests').glob('test_*'))


def races(suite):
    """What threads share, under ThreadSanitizer."""
    names = ['test_supervisor', 'test_drains', 'test_record', 'test_sampler', 'test_counting',
             'test_probe', 'test_log', 'test_scm_call',
             'test_eventlog']
    tests = [BUILD / 'tsan/tests' / name for name in names]
    suite.step('thread sanitizer', 'make', '--no-print-directory', JOBS, 'SANITIZE=thread',
               'VARIANT=tsan', 'programs', 'test-tools',
               *(test.relative_to(ROOT) for test in tests))
    run_unit_tests(suite, tests, TSAN_OPTIONS='halt_on_error=1')
    suite.pytest('tests/survive/test_model.py', 'tests/system/test_drain.py',
                 'tests/system/test_watching.py', 'tests/system/test_probe.py',
                 'tests/system/test_source_command.py', 'tests/system/test_source_http.py',
                 POOLD=str(BUILD / 'tsan/poold'), POOLCTL=str(BUILD / 'native/poolctl'),
                 TSAN_OPTIONS='halt_on_error=1', SURVIVE_STEPS='2000')


# Too many steps for an interpreter; ASan and UBSan see them, and the model what they are about.
# The last one uses up the descriptors, of which valgrind needs some.
NOT_UNDER_VALGRIND = {'test_walk', 'test_survival', 'test_never_early', 'test_trace',
                      'test_controller', 'test_drift', 'test_http'}
VALGRIND = ['valgrind', '-q', '--error-exitcode=9', '--leak-check=full',
            '--errors-for-leak-kinds=definite']


def memory(suite):
    """Use of memory that was never written, and leaks, under valgrind."""
    suite.step('native tests', 'make', '--no-print-directory', JOBS, 'unit-tests')
    tests = [test for test in (BUILD / 'native/tests').glob('test_*')
             if test.name not in NOT_UNDER_VALGRIND]
    run_unit_tests(suite, tests, *VALGRIND)
    poold = LOGS / 'poold_under_valgrind'
    poold.write_text(f'#!/bin/sh\nexec {" ".join(VALGRIND)} {BUILD}/native/poold "$@"\n')
    poold.chmod(0o755)
    suite.pytest('tests/survive/test_model.py', POOLD=str(poold), SURVIVE_STEPS='300')


def config(suite):
    suite.pytest('tests/config', POOLCTL_LOAD_CONFIG=str(BUILD / 'sanitized/tests/load_config'))


def system(suite):
    suite.pytest('tests/system', jobs=2, POOLCTL=str(BUILD / 'sanitized/poolctl'),
                 POOLD=str(BUILD / 'sanitized/poold'))


def security(suite):
    suite.pytest('tests/security', jobs=2, POOLCTL=str(BUILD / 'sanitized/poolctl'),
                 POOLD=str(BUILD / 'sanitized/poold'),
                 POOLCTL_SERVE_TLS=str(BUILD / 'sanitized/tests/serve_tls'))


def outside(suite):
    suite.pytest('tests/outside', POOLCTL=str(BUILD / 'sanitized/poolctl'),
                 POOLD=str(BUILD / 'sanitized/poold'),
                 POOLCTL_LOAD_CONFIG=str(BUILD / 'sanitized/tests/load_config'),
                 OUTSIDE_COUNTS=str(LOGS / 'outside.counts'))


def install(suite):
    """What is put on other machines: completions, man pages, packages, hardened programs."""
    suite.pytest('tests/install', POOLCTL=str(BUILD / 'sanitized/poolctl'),
                 POOLD=str(BUILD / 'sanitized/poold'))


def windows(suite):
    suite.pytest('tests/windows', POOLCTL=str(BUILD / 'sanitized/poolctl'))


def survive(suite):
    suite.pytest('-s', 'tests/survive', '--ignore=tests/survive/windows',
                 POOLD=str(BUILD / 'sanitized/poold'))


def survive_windows(suite):
    suite.pytest('-s', 'tests/survive/windows')


def sessions(suite):
    suite.pytest('-s', 'tests/sessions', '--ignore=tests/sessions/windows',
                 POOLD=str(BUILD / 'sanitized/poold'), POOLCTL=str(BUILD / 'sanitized/poolctl'))


def sessions_windows(suite):
    suite.pytest('-s', 'tests/sessions/windows')


def safety(suite):
    suite.pytest('-s', 'tests/safety', '--ignore=tests/safety/windows',
                 POOLD=str(BUILD / 'sanitized/poold'),
                 POOLCTL=str(BUILD / 'sanitized/poolctl'),
                 SAFETY_ROUNDS=os.environ.get('SAFETY_ROUNDS', '500'))


def safety_windows(suite):
    suite.pytest('-s', 'tests/safety/windows', POOLCTL=str(BUILD / 'sanitized/poolctl'))


def model(suite):
    suite.pytest('-s', 'tests/model')


def fresh(suite):
    suite.count('tests/setup/fresh.sh')


# Those of a row run one after the other, the rows beside each other.  What needs Wine is in
# one row, and after it what makes many connections: Wine reads those of the whole machine, over
# and over.
LANES = [[unit, survive, memory, lint, install, clang, fuzz],
         [system, outside, security, config, safety, model, fresh],
         [windows, survive_windows, sessions_windows, safety_windows, sessions, races]]


def run_suite(function):
    suite = Suite(function.__name__)
    began = time.monotonic()
    with open(suite.log, 'w', encoding='utf-8') as suite.out:
        function(suite)
    skipped = f', {suite.skipped} skipped' if suite.skipped else ''
    print(f'{suite.name + ":":16} {suite.passed} passed, {suite.failed} failed{skipped}'
          f'  ({time.monotonic() - began:.0f} s)', flush=True)
    if suite.failed:
        print(''.join(suite.log.read_text(encoding='utf-8').splitlines(True)[-150:]))
    for problem in suite.problems:
        print(f'    {problem}')
    return suite


def main(names):
    LOGS.mkdir(parents=True, exist_ok=True)
    # Tests add to them; see tests/support/faults.py, tests/sessions/truth.py,
    # tests/safety/counts.py and tests/outside/conftest.py.
    for name in 'survive.counts', 'sessions.counts', 'safety.counts', 'outside.counts':
        (LOGS / name).unlink(missing_ok=True)
    suites = [run_suite(programs)]

    def run_lane(row):
        return [run_suite(function) for function in row
                if not names or function.__name__ in names]

    if not suites[0].failed:
        with concurrent.futures.ThreadPoolExecutor(len(LANES)) as lanes:
            for finished in lanes.map(run_lane, LANES):
                suites += finished
    passed, failed, skipped = (sum(getattr(suite, count) for suite in suites)
                               for count in ('passed', 'failed', 'skipped'))
    print(f'{passed} passed, {failed} failed' + (f', {skipped} skipped' if skipped else ''))
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
