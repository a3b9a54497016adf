# SPDX-License-Identifier: Apache-2.0
"""Takes out of an answer what must differ between two daemons: ids, times, addresses, names of
nodes. All else is left, to the byte, but for the width of columns.
"""

import re

TIMES = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)'
                   r'|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [+-]\d{4} \w+')
AGES = re.compile(r'(?:Less than a second|About an? (?:minute|hour)'
                  r'|\b\d+ (?:second|minute|hour|day|week|month|year)s?\b)(?: ago)?')
# Races inside the Docker CLI, with one engine too: of 20.10 when a container did not start, of
# later ones when what they pack for `docker cp` has no place to go to.
RACE = re.compile(r'time="<time>" level=error msg="(?:error waiting for container: [^"]*'
                  r'|Can\'t (?:add file [^"]* to tar|close tar writer): io: read/write on closed pipe)"\n')
# An engine of 20.10 says this twice.
NO_IMAGE = re.compile(r'no such image: ([^\s"]+): No such image: \1')
SWARM_ID = re.compile(r',?com\.docker\.swarm\.id=[0-9a-f]{64},?')


class Neutral:
    """Of one daemon. Ids are numbered in the order in which they are first seen, full or as the
    first 12 digits, so that what two daemons tell is equal when it is about the same things."""

    def __init__(self, address, lab):
        self.seen = {}
        self.replaced = [(address, '<daemon>'), (lab.state, '<state>')]
        if lab.registry:
            self.replaced.append((lab.registry, '<registry>'))
        self.node_ips = re.compile('|'.join(re.escape(node.ip) for node in lab.nodes))

    def text(self, text):
        text = SWARM_ID.sub('', text)
        for found, word in self.replaced:
            text = text.replace(found, word)
        text = self.node_ips.sub('0.0.0.0', text)
        text = re.sub(r'\b172\.17\.\d+\.\d+\b', '<ip>', text)
        text = re.sub(r'\b02:42(?::[0-9a-f]{2}){4}\b', '<mac>', text)
        text = re.sub(r'\bnode-\d\b', '<node>', text)
        text = NO_IMAGE.sub(r'No such image: \1', text)
        text = RACE.sub('', TIMES.sub('<time>', text))
        text = AGES.sub('<age>', text)
        text = re.sub(r'\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b', self._id, text)
        return re.sub(r' {2,}', '  ', re.sub(r' +$', '', text, flags=re.M))

    def _id(self, match):
        number = self.seen.setdefault(match.group()[:12], len(self.seen) + 1)
        return f'<id {number}>'

    def value(self, value):
        """The same of what json made."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {self.text(key): self.value(item) for key, item in value.items()
                    if key != 'com.docker.swarm.id'}
        return value
