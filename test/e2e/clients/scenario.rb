# SPDX-License-Identifier: Apache-2.0
# What ruby-docker-api is used for, printed as one JSON array. Docker.url comes from $DOCKER_HOST.
require 'docker'
require 'rubygems/package'
require 'json'
require 'stringio'

told = []

def refusal
  yield
  'nothing'
rescue Docker::Error::DockerError => e
  "#{e.class}: #{e.message}"
end

told << Docker.ping << Docker.version['ApiVersion']
one = Docker::Container.create('name' => 'one', 'Image' => 'busybox', 'Labels' => { 'a' => 'b' },
                               'Cmd' => ['sh', '-c', 'echo up; exec sleep 1000'])
one.start
told << one.json['State']['Running'] << one.json['Name'] << one.info['Labels']
told << one.exec(['sh', '-c', 'echo out; echo err >&2; exit 3'])
told << one.exec(['cat'], stdin: StringIO.new("typed\n"))
told << one.streaming_logs(stdout: true).lines.first
one.store_file('/note', 'kept')
told << one.read_file('/note') << one.changes.map { |change| change['Path'] }.sort
told << one.top.map { |process| process['CMD'] }
told << Docker::Container.all(all: true, filters: { label: ['a=b'] }.to_json)
                         .map { |each| [each.id == one.id, each.info['Names'].first] }
one.rename('uno')
told << (Docker::Container.get('uno').id == one.id) << refusal { Docker::Container.get('one') }
one.pause
told << Docker::Container.get('uno').json['State']['Status']
one.unpause
image = one.commit('repo' => 'made', 'tag' => '1')
told << Docker::Image.get('made:1').json['RepoTags'] << Docker::Image.exist?('made:1')
again = image.run(%w[cat /note])
told << again.wait['StatusCode'] << again.logs(stdout: true)
again.delete
one.kill
told << one.wait['StatusCode']
one.delete
image.remove
built = Docker::Image.build("FROM busybox\nRUN echo built > /built\n", 't' => 'built:1')
told << built.json['RepoTags'] << built.history.first['CreatedBy']
built.tag('repo' => 'also', 'tag' => '2')
told << Docker::Image.all.flat_map { |each| each.info['RepoTags'] }.sort
Docker::Image.get('also:2').remove(name: 'also:2')
Docker::Image.get('built:1').remove(name: 'built:1')
told << refusal { Docker::Image.get('built:1') }
net = Docker::Network.create('net')
told << net.json['Driver'] << Docker::Network.all.map { |each| each.info['Name'] }.include?('net')
late = Docker::Container.create('name' => 'late', 'Image' => 'busybox', 'Cmd' => %w[sleep 1000],
                                'HostConfig' => { 'NetworkMode' => 'net' })
late.start
told << net.json['Containers'].values.map { |each| each['Name'] }
net.disconnect(late.id)
told << net.json['Containers']
late.delete(force: true)
net.remove
data = Docker::Volume.create('data', 'Labels' => { 'a' => 'b' })
told << Docker::Volume.get('data').info['Labels'] << Docker::Volume.all.map(&:id)
data.remove
Docker::Volume.prune
Docker::Container.prune
puts JSON.generate(told)
