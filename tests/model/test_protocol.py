"""The protocol of reservations keeps its promises with 3 servers and 2 clients, in every
state that there is; and without any one of its rules it would not, so the model can fail."""

import pytest

from spin import PROGRESS, SAFETY, SMALL, check


@pytest.mark.parametrize('kind, flags', [
    pytest.param(SAFETY, ('FAILURES',), id='never_below_the_floor_whatever_fails'),
    pytest.param(SAFETY, (), id='never_below_the_floor_and_never_stuck'),
    pytest.param(PROGRESS, (), id='somebody_commits_again_and_again'),
])
def test_the_protocol_keeps_its_promises(kind, flags):
    outcome = check(kind, SMALL + flags)
    print(outcome.words)
    assert not outcome.has_error and not outcome.is_cut, outcome.words


@pytest.mark.parametrize('kind, flags', [
    pytest.param(SAFETY, (rule, 'FAILURES'), id=rule) for rule in (
        'LOOK_BEFORE_RESERVE', 'RESERVED_SERVES', 'OWN_SERVES', 'SILENCE_SERVES',
        'COMMIT_UNCHECKED', 'COMMIT_IF_FREE', 'COMMIT_ANY_TOKEN', 'LOOKS_ARE_KEPT')
] + [
    pytest.param(SAFETY, ('WINNER_HURRIES',), id='WINNER_HURRIES'),
    pytest.param(PROGRESS, ('LOSER_STAYS',), id='LOSER_STAYS'),
    pytest.param(PROGRESS, ('LOSER_HURRIES',), id='LOSER_HURRIES'),
])
def test_no_rule_can_be_left_out(kind, flags):
    outcome = check(kind, SMALL + flags)
    print(outcome.words)
    assert outcome.has_error, f'nothing wrong was found: {outcome.words}'
