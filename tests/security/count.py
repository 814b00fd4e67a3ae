"""Prints what the security suite tried, from its results: routes, callers, and what failed."""

import pathlib
import re
import sys
import xml.etree.ElementTree

RESULTS = pathlib.Path(__file__).resolve().parents[2] / 'build/log/security.xml'


def main():
    if not RESULTS.exists():
        sys.exit('the security suite has no results')
    routes, callers, findings = set(), set(), 0
    for case in xml.etree.ElementTree.parse(RESULTS).iter('testcase'):
        name = case.get('name')
        if case.find('failure') is not None or case.find('error') is not None:
            findings += 1
            print(f'finding: {name}')
        asked = re.fullmatch(r'(test_a_route_and_a_\w+)\[(.*?)-(.*)\]', name)
        if asked:
            routes.add(asked[2])
            callers.add((asked[1], asked[3]))
    print(f'routes {len(routes)}, callers {len(callers)}, findings {findings}')
    return 1 if findings or not routes else 0


if __name__ == '__main__':
    sys.exit(main())
