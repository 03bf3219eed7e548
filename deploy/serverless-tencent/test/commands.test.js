'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const TencentScf = require('..');
const deploy = require('../lib/commands/deploy');
const info = require('../lib/commands/info');
const invoke = require('../lib/commands/invoke');
const logs = require('../lib/commands/logs');
const { pack } = require('../lib/commands/package');
const remove = require('../lib/commands/remove');
const rollback = require('../lib/commands/rollback');
const { Context } = require('../lib/context');
const { time } = require('../lib/logs');
const { FakeScf, key } = require('./fake');
const { folder, pace, service } = require('./rig');

const env = { TENCENTCLOUD_SECRET_ID: key.secretId, TENCENTCLOUD_SECRET_KEY: key.secretKey };

/** A service in a folder with a program, and commands on it. */
function shell(t, change) {
  const root = folder(t);
  fs.mkdirSync(path.join(root, 'bin'));
  const elf = Buffer.alloc(64);
  elf.writeUInt32BE(0x7f454c46, 0);
  elf[4] = 2;
  elf.writeUInt16LE(62, 18);
  fs.writeFileSync(path.join(root, 'bin', 'main'), elf);
  const fake = new FakeScf();
  const s = service(change);
  const run = async (command, options = {}, more = {}) => {
    const said = [];
    const say = (text) => said.push(text);
    const log = { notice: say, info() {} };
    const progress = { create: () => ({ update() {}, remove() {} }) };
    const serverless = { service: structuredClone(s), serviceDir: root };
    const outside = { env, transport: fake.transport, clock: fake.clock, pace, ...more };
    const context = new Context(serverless, options, { log, progress, writeText: say }, outside);
    if (command === deploy.run) await pack(context);
    await command(context, more.one ? { one: true } : {});
    return said.join('\n');
  };
  return { fake, root, run };
}

test('the commands, one after the other', async (t) => {
  const { fake, root, run } = shell(t, (s) => (s.provider.publish = true));
  assert.match(await run(deploy.run, { 'dry-run': true }), /create etl-dev-dump/);
  assert.equal(fake.written.length, 0);
  assert.equal(JSON.parse(await run(deploy.run, { 'dry-run': true, json: true })).steps[0].kind, 'create');
  assert.match(await run(deploy.run), /Deployed etl to stage dev in .* s/);
  assert.match(await run(deploy.run), /^nothing to change$/);
  assert.ok(fs.existsSync(path.join(root, '.serverless', 'dump.zip')));
  assert.match(await run(info.run), /etl-dev-tick: Active, 128 MB, 60 s, \$DEFAULT is 1\n {4}timer hourly: open, to \$DEFAULT/);
  assert.deepEqual(JSON.parse(await run(info.run, { json: true })).missing, []);
  assert.match(await run(invoke.run, { function: 'dump', data: '{"a":1}', log: true }), /logged\n.*3 ms, 1 MB, request q\n\{"a":1\}/);
  await assert.rejects(run(invoke.run, { function: 'dump', data: '{"fail":1}' }), /etl-dev-dump has failed: failed/);
  await assert.rejects(run(invoke.run, { function: 'dump', data: 'no JSON' }), /the event is no JSON/);
  await assert.rejects(run(invoke.run, { function: 'dump', data: JSON.stringify('x'.repeat(200000)), type: 'Event' }), /the platform takes 131072/);
  await assert.rejects(run(invoke.run, { function: 'none' }), /has no function none: it has dump, tick, watch/);
  fake.logs.push({ FunctionName: 'etl-dev-dump', RetCode: 1, Duration: 7, RequestId: 'r1', StartTime: time(fake.clock.now()), Log: 'line', RetMsg: 'broken' });
  assert.match(await run(logs.run, { function: 'dump' }), /FAILED 7 ms request r1\nline\nbroken/);
  assert.match(await run(logs.metrics, { function: 'dump' }), /etl-dev-dump: 1 invocations, 1 errors, 7 ms on average/);
  assert.match(await run(rollback.run, { function: 'dump' }), /^1 .*\$DEFAULT points to it\n\$DEFAULT is 1; --to VERSION changes that/s);
  await assert.rejects(run(rollback.run, { function: 'dump', to: '7' }), /has no version 7: it has 1/);
  assert.match(await run(rollback.run, { function: 'dump', to: '$LATEST' }), /\$DEFAULT was 1 and is \$LATEST/);
  assert.match(await run(remove.run), /Removed 3 functions of etl, stage dev/);
  assert.equal(fake.functions.size, 0);
});

test('one function alone is deployed', async (t) => {
  const { fake, run } = shell(t);
  await run(deploy.run, { function: 'tick' }, { one: true });
  assert.deepEqual([...fake.functions.keys()], ['etl-dev-tick']);
});

test('the zips of another run are deployed with --package', async (t) => {
  const { fake, root, run } = shell(t);
  await run(pack);
  fs.renameSync(path.join(root, '.serverless'), path.join(root, 'dist'));
  for (const name of fs.readdirSync(path.join(root, 'dist'))) if (name.endsWith('.json')) fs.rmSync(path.join(root, 'dist', name));
  await run((c) => deploy.run(c), { package: 'dist' });
  const before = fake.written.length;
  await run(deploy.run);
  assert.equal(fake.written.length, before, 'the same code, packed here');
});

test('invoke local hands the event to etl, and takes its answer', async (t) => {
  const { root, run } = shell(t);
  const etl = path.join(root, 'etl');
  fs.writeFileSync(etl, '#!/usr/bin/env node\nprocess.stdin.on("data", (d) => console.log(process.argv.slice(2, 5).join(" ") + " " + d));\n', { mode: 0o755 });
  const local = (options, program = etl) => run(invoke.local, { function: 'dump', ...options }, { env: { ...process.env, ETL_BIN: program } });
  assert.equal(await local({ data: '{"a":1}' }), 'invoke dump --event {"a":1}');
  await assert.rejects(local({ path: 'none.json' }), /--path: ENOENT/);
  await assert.rejects(local({}, path.join(root, 'none')), /none is not there: run make build, or set ETL_BIN/);
  fs.writeFileSync(etl, '#!/usr/bin/env node\nprocess.exit(1);\n');
  await assert.rejects(local({}), /etl invoke has failed/);
});

test('an invocation without an answer is not repeated', async (t) => {
  const { fake, run } = shell(t);
  await run(deploy.run);
  fake.intercept = ({ action }) => (action === 'Invoke' ? { after: true } : null);
  await assert.rejects(run(invoke.run, { function: 'dump' }), /nobody knows whether etl-dev-dump has run/);
  assert.equal(fake.calls.filter((c) => c.action === 'Invoke').length, 1);
});

test('what cannot be deployed is told before anything is called, and can be removed', async (t) => {
  const broken = (s) => { s.functions.dump.memorySize = 100; s.functions.tick.name = 'x'.repeat(61); s.provider.environment.BIG = 'x'.repeat(5000); };
  const { fake, run } = shell(t, broken);
  await assert.rejects(run(deploy.run), (error) => {
    for (const want of [/functions.dump.memorySize: 100 is no memory size.*the next one is 128/, /functions.tick.name: x+ has 61 characters/, /functions.watch.environment: keys and values take 50\d\d bytes/]) assert.match(error.message, want);
    return true;
  });
  assert.equal(fake.calls.length, 0);
  assert.match(await run(remove.run), /Removed 0 functions/);
});

test('the options of a canary are checked', async (t) => {
  const { run } = shell(t);
  for (const [options, want] of [
    [{ canary: '0' }, /--canary: 0 is not allowed/], [{ canary: '10', 'canary-time': '5' }, /--canary-time: 5 is no time span/],
    [{ canary: '10', 'canary-by': 'luck' }, /want weight or time/], [{ json: true }, /--json goes with --dry-run/],
    [{ 'lock-timeout': 'x' }, /--lock-timeout: x is no time span/],
  ]) {
    await assert.rejects(run(deploy.run, options), want);
  }
});

test('a command that prints the lag is run without a shell', async (t) => {
  const { fake, run } = shell(t);
  await run(deploy.run);
  const changed = (lag) => run((c) => { c.serverless.service.functions.dump.environment.AB = lag; return pack(c).then(() => deploy.run(c)); },
    { canary: '10', 'canary-time': '30s', 'canary-lag': `${process.execPath} -p ${lag}`, 'canary-lag-most': '10' });
  await assert.rejects(changed('5+6'), /the lag is 11, at most 10 is tolerated/);
  await assert.rejects(changed('process.env.HOME'), /--canary-lag: .* prints no number/);
  assert.equal(fake.functions.get('etl-dev-dump').aliases.get('$DEFAULT').FunctionVersion, '1');
});

test('the plugin hands its own errors to the framework, and no others', async () => {
  class ServerlessError extends Error {}
  const handler = { defineProvider() {}, defineFunctionEvent() {} };
  const serverless = { setProvider() {}, configSchemaHandler: handler, classes: { Error: ServerlessError }, service: service() };
  const plugin = new TencentScf(serverless, {}, { log: {}, progress: {}, writeText() {} });
  assert.equal(TencentScf.getProviderName(), 'tencent');
  assert.deepEqual([plugin.getStage(), plugin.getRegion()], ['dev', 'ap-guangzhou']);
  await assert.rejects(plugin.hooks['rollback:rollback'](), ServerlessError);
  serverless.service.functions.dump = 7;
  serverless.service.provider = null;
  await assert.rejects(plugin.hooks['rollback:rollback'](), (error) => !(error instanceof ServerlessError));
});
