// SPDX-License-Identifier: Apache-2.0
// What dockerode is used for, printed as one JSON array. The daemon comes from $DOCKER_HOST.
const Docker = require('dockerode');
const { Readable, PassThrough } = require('stream');

const url = new URL(process.env.DOCKER_HOST);
const docker = new Docker({ host: url.hostname, port: url.port, protocol: 'http' });
const told = [];

const read = async (stream) => {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces).toString();
};
const refusal = (promise) => promise.then(() => 'nothing', (e) => [e.statusCode, e.json.message]);
const followed = (stream) => new Promise((resolve, reject) => {
  docker.modem.followProgress(stream, (err, lines) => (err ? reject(err) : resolve(lines)));
});

// Both pipes of a multiplexed stream, read to the end.
const apart = async (stream) => {
  const out = new PassThrough();
  const err = new PassThrough();
  docker.modem.demuxStream(stream, out, err);
  stream.on('end', () => { out.end(); err.end(); });
  return Promise.all([read(out), read(err)]);
};

async function containers() {
  const one = await docker.createContainer({
    name: 'one', Image: 'busybox', Labels: { a: 'b' }, OpenStdin: true, StdinOnce: true,
    Cmd: ['sh', '-c', 'read line; echo "got $line"; echo err >&2; exec sleep 1000'],
  });
  const attached = await one.attach({ stream: true, hijack: true, stdin: true, stdout: true });
  await one.start();
  attached.write('this\n');
  attached.end();
  told.push((await new Promise((resolve) => attached.once('data', resolve))).toString('hex'));
  told.push((await one.inspect()).State.Status);
  const run = await one.exec({
    Cmd: ['sh', '-c', 'cat; echo err >&2; exit 3'], AttachStdin: true, AttachStdout: true,
    AttachStderr: true,
  });
  const stream = await run.start({ hijack: true, stdin: true });
  const output = apart(stream);
  Readable.from(['typed\n']).pipe(stream);
  told.push(await output, (await run.inspect()).ExitCode);
  told.push((await one.logs({ stdout: true, stderr: true })).length);
  told.push((await docker.listContainers({ filters: { label: ['a=b'] } })).map((c) => c.Names[0]));
  told.push(Object.keys(await one.stats({ stream: false })).sort());
  const packed = await one.getArchive({ path: '/etc/passwd' });
  await one.putArchive(packed, { path: '/tmp' });
  told.push((await one.changes()).map((change) => change.Path).sort());
  told.push(await refusal(docker.getContainer('none').inspect()));
  const ended = one.wait({ condition: 'not-running' });
  await one.kill();
  told.push((await ended).StatusCode);
  await one.remove();
}

async function images() {
  const tar = new (require('tar-stream').pack)();
  tar.entry({ name: 'Dockerfile' }, 'FROM busybox\nRUN echo built > /built\nCMD ["cat", "/built"]\n');
  tar.finalize();
  const lines = await followed(await docker.buildImage(tar, { t: 'built:1' }));
  told.push(lines.map((line) => line.stream || '').join('').match(/^Step.*$/gm));
  const out = new PassThrough();
  const [result, made] = await docker.run('built:1', [], out, { name: 'ran' });
  told.push(result.StatusCode, out.read().toString());
  await made.remove();
  await docker.getImage('built:1').tag({ repo: 'also', tag: '2' });
  told.push((await docker.listImages()).flatMap((image) => image.RepoTags).sort());
  await docker.getImage('also:2').remove();
  await docker.getImage('built:1').remove();
  told.push(await refusal(docker.getImage('built:1').inspect()));
}

async function events() {
  const noted = await docker.createContainer({ name: 'noted', Image: 'busybox', Cmd: ['true'] });
  const stream = await docker.getEvents({ filters: { container: [noted.id] } });
  const seen = new Promise((resolve) => {
    const actions = [];
    let text = '';
    stream.on('data', (piece) => {
      text += piece;
      while (text.includes('\n')) {
        actions.push(JSON.parse(text.slice(0, text.indexOf('\n'))).Action);
        text = text.slice(text.indexOf('\n') + 1);
      }
      if (actions.includes('destroy')) resolve(actions);
    });
  });
  await noted.start();
  await noted.wait();
  await noted.remove();
  told.push(await seen);
  stream.destroy();
}

async function objects() {
  const net = await docker.createNetwork({ Name: 'net', CheckDuplicate: true });
  const late = await docker.createContainer({
    name: 'late', Image: 'busybox', Cmd: ['sleep', '1000'], HostConfig: { NetworkMode: 'net' },
  });
  await late.start();
  told.push(Object.values((await net.inspect()).Containers).map((c) => c.Name));
  await net.disconnect({ Container: late.id });
  await net.connect({ Container: late.id });
  told.push(Object.keys((await late.inspect()).NetworkSettings.Networks));
  await late.remove({ force: true });
  await net.remove();
  told.push((await docker.createVolume({ Name: 'data', Labels: { a: 'b' } })).name);
  told.push((await docker.listVolumes()).Volumes.map((volume) => [volume.Name, volume.Labels]));
  await docker.getVolume('data').remove();
  told.push((await docker.pruneContainers()).SpaceReclaimed);
}

(async () => {
  told.push((await docker.ping()).toString(), (await docker.version()).ApiVersion);
  await containers();
  await images();
  await events();
  await objects();
  console.log(JSON.stringify(told));
  process.exit(0);
})().catch((e) => { console.error(e); process.exit(1); });
