# SPDX-License-Identifier: Apache-2.0
"""ruby-docker-api, as Test Kitchen, Serverspec and many a Rakefile use it."""


def test_scenario(pair, tool):
    def story(side):
        work = tool(side)
        return work.json('ruby', work.shipped('scenario.rb'))

    told = pair.tell(story)
    assert ['typed\n'] in [entry[0] for entry in told if isinstance(entry, list) and entry]
