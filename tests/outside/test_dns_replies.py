"""Cases B: what DNS servers say, and what poolctl makes of it."""

import contextlib
import ipaddress
import json
import struct
import subprocess

import pytest

from nameservers import A, AAAA, SAME_NAME, Anything, answer_to, asked_kind, record
from pool import POOLCTL

ASK_DNS = POOLCTL.parent / 'tests/ask_dns'
ADDRESSES = ['10.0.0.1', '10.0.0.2']
FORMERR, SERVFAIL = 1, 2


def has_edns(question):
    return struct.unpack('>H', question[10:12])[0] > 0


def answer(question, *ipv6):
    """The two servers, and these besides."""
    addresses = {A: ADDRESSES, AAAA: ipv6}[asked_kind(question)]
    return answer_to(question, *[record(SAME_NAME, asked_kind(question),
                                        ipaddress.ip_address(one).packed) for one in addresses])


def refuse_edns(question):
    """As servers do that copy the OPT of the question."""
    return question[:2] + b'\x81\x81' + question[4:] if has_edns(question) else answer(question)


@pytest.fixture
def ask(tmp_path):
    """What ask_dns says of a pool of two, at resolvers that answer so."""
    def run(*answers, fqdn='fe.example', limit_ms=1000):
        file = tmp_path / 'pool.yaml'
        servers = ''.join(f'      fe{i}: {{address: {address}}}\n'
                          for i, address in enumerate(ADDRESSES))
        file.write_text(f'pools:\n  p:\n    fqdn: {fqdn}\n    services: {{S: {{ports: [1]}}}}\n'
                        f'    servers:\n{servers}', encoding='utf-8')
        with contextlib.ExitStack() as started:
            resolvers = [started.enter_context(Anything(answer)) for answer in answers]
            done = subprocess.run([ASK_DNS, 'pool', file, 'p', str(limit_ms),
                                   *[each.resolver for each in resolvers]],
                                  capture_output=True, text=True, timeout=20, check=False)
            run.asked = [question for each in resolvers for question in each.questions]
        told = json.loads(done.stdout)
        return told['view'], told['text']
    return run


@pytest.mark.case('B7')
@pytest.mark.parametrize('resolver', [
    refuse_edns, lambda question: None if has_edns(question) else answer(question)])
def test_a_resolver_without_edns_is_understood(ask, resolver):
    assert ask(resolver)[0]['verdict'] == 'balanced'


@pytest.mark.brother('B7')
@pytest.mark.parametrize('code, reason', [
    (FORMERR, 'the DNS server does not understand the question (FORMERR)'),
    (SERVFAIL, 'the DNS server failed (SERVFAIL)')])
def test_a_resolver_that_fails_all_the_same_is_told_as_it_is(ask, code, reason):
    assert reason in ask(lambda question: answer_to(question, code=code))[1]


@pytest.mark.case('B8')
def test_dns64_is_the_same_address(ask):
    view, text = ask(answer, lambda question: answer(question, '64:ff9b::10.0.0.1',
                                                     '64:ff9b::10.0.0.2'))
    assert (view['verdict'], view['disputed']) == ('balanced', False) and '64:ff9b' not in text


@pytest.mark.brother('B8')
def test_dns64_of_a_stranger_is_a_stranger(ask):
    view, text = ask(answer, lambda question: answer(question, '64:ff9b::10.0.0.9'))
    assert view['disputed'] and '10.0.0.9' in text


@pytest.mark.case('B9')
@pytest.mark.parametrize('name, asked', [
    ('pool1.müller.example', b'xn--mller-kva'), ('MÜLLER.example', b'xn--mller-kva'),
    ('straße.example', b'xn--strae-oqa'), ('бг.example', b'xn--90ae'),
    ('東京.example', b'xn--1lqs71d')])
def test_an_international_name_is_asked_in_ascii(ask, name, asked):
    view, text = ask(answer, fqdn=name)
    assert (view['verdict'], view['name']) == ('balanced', name) and name in text
    assert all(asked in question for question in ask.asked)
