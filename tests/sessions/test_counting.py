"""Thousands of real sessions come and go while poold counts them: every sample is right.

SESSIONS_SEED repeats who comes and goes when, as well as a machine can.
"""

import os

from sessions import free_port, wait_until
from truth import SEED, Sampler, Truth, check, crowds, report

# Three processes, as each may have so many open files only.
ADDRESSES = ['127.0.3.1', '127.0.3.2', '127.0.3.3']
MOST = int(os.environ.get('SESSIONS_MOST', 6667))
A_SECOND = 4000  # changes, of each process
SAMPLES = 800
OTHERS = 300  # of each kind that must not be counted
PEERS = [f'127.0.4.{i}' for i in range(1, 9)]
EXCLUDED = [f'127.0.5.{i}' for i in range(1, 4)]
NOT_OURS = '127.0.3.9'


def configure(pool, port, second):
    """Two ports, three of the machine's addresses, and peers that are no sessions."""
    text = pool.file.read_text().replace(
        f'ports: [{pool.port}]',
        f'ports: [{port}, {second}]\n        addresses: [{", ".join(ADDRESSES)}]\n'
        f'        exclude: [{", ".join(EXCLUDED)}]')
    pool.file.write_text(text)


def test_every_sample_is_right_while_sessions_come_and_go(make_pool, tmp_path):
    print(f'\nSESSIONS_SEED={SEED}')
    port, second, other = (free_port([*ADDRESSES, *EXCLUDED, NOT_OURS]) for _ in range(3))
    pool = make_pool(start=False)
    configure(pool, port, second)
    pool.start()
    with crowds((tmp_path, 'one', ADDRESSES[0], port, MOST, A_SECOND, PEERS),
                (tmp_path, 'two', ADDRESSES[1], port, MOST, A_SECOND, PEERS),
                (tmp_path, 'three', ADDRESSES[2], second, MOST, A_SECOND, PEERS),
                (tmp_path, 'other port', ADDRESSES[0], other, OTHERS, 500, PEERS),
                (tmp_path, 'other address', NOT_OURS, port, OTHERS, 500, PEERS),
                (tmp_path, 'excluded', ADDRESSES[2], port, OTHERS, 500, EXCLUDED)) as made:
        sampler = Sampler(pool.servers[0])
        for each in made:
            each.wait_line('full')
        for each in made:
            each.go_on()
        wait_until(lambda: sampler.failure or sampler.are_there(SAMPLES, SAMPLES / 6),
                   f'{SAMPLES} samples', 300)
        sampler.stop()
    lives = [each.lives() for each in made]
    counted, others = sum(lives[:3], []), [Truth(each) for each in lives[3:]]
    samples = sampler.samples()
    wrong, exact = check(samples, counted)
    tempted = sum(all(each.bounds(begin, end)[0] for each in others)
                  for _, begin, end in samples)
    print(f'{len(samples)} samples ({len(sampler.documents)} of poold\'s own), {exact} that '
          f'had to be exact, {tempted} beside others, {len(counted)} sessions, '
          f'{sampler.most()} at once, {len(wrong)} wrong')
    report(samples=len(samples), wrong=len(wrong) + sampler.unknown)
    assert not wrong and not sampler.unknown, wrong[:5]
    # A test that saw only moments of change, or nobody who must not be counted, shows little.
    assert exact > SAMPLES / 10 and tempted > SAMPLES / 2
    assert sampler.most() > 0.9 * len(ADDRESSES) * MOST
