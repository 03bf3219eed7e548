'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { canary } = require('../lib/canary');
const { judge, tolerance } = require('../lib/judge');
const { Gathered, summary, time } = require('../lib/logs');
const { FakeScf } = require('./fake');
const { client, run, service, wanted } = require('./rig');

const options = { share: 0.1, time: 60000, interval: 1000, by: 'weight', tolerance };

/** Deploys with a canary; invoke is asked at every look for the log of versions. */
async function release(fake, want, { more = {}, invoke = () => [], stopped } = {}) {
  const said = [];
  let n = 0;
  fake.intercept = ({ action, parameters }) => {
    if (action !== 'GetFunctionLogs') return null;
    for (const [Version, RetCode, Duration] of invoke(parameters)) {
      fake.logs.push({ FunctionName: parameters.FunctionName, Version, RetCode, Duration, RequestId: `r${n++}`, StartTime: time(fake.clock.now()) });
    }
    return null;
  };
  const carryOut = (apply, plan) => canary(apply, plan, { ...options, ...more }, { notice: (text) => said.push(text), stopped });
  const result = await run(fake, want, {}, { carryOut }).then((r) => ({ result: r.result }), (error) => ({ error }));
  return { ...result, said: said.join('\n'), alias: fake.functions.get('etl-dev-dump').aliases.get('$DEFAULT') };
}

const changed = () => wanted(service((s) => (s.functions.dump.environment.AB = '2')));

test('a good version is promoted, and one more deployment changes nothing', async () => {
  const fake = new FakeScf();
  await run(fake, wanted(service()));
  const shares = [];
  const { result, said, alias } = await release(fake, changed(), {
    invoke: ({ Qualifier }) => {
      shares.push(JSON.stringify(fake.functions.get('etl-dev-dump').aliases.get('$DEFAULT')));
      return [[Qualifier, 0, 20]];
    },
  });
  assert.equal(result.verdict, 'promote');
  assert.match(said, /etl-dev-dump 2: \d+ invocations, 0 errors, 20 ms on average/);
  assert.deepEqual([alias.FunctionVersion, alias.RoutingConfig.AdditionalVersionWeights], ['2', []]);
  assert.match(shares[0], /"FunctionVersion":"1".*"Version":"2","Weight":0.1/);
  fake.intercept = () => null;
  const before = fake.written.length;
  await run(fake, changed());
  assert.equal(fake.written.length, before);
});

test('a bad version is rolled back as soon as that is sure, with the numbers', async () => {
  const fake = new FakeScf();
  await run(fake, wanted(service()));
  const begun = fake.clock.now();
  const { error, alias } = await release(fake, changed(), { invoke: ({ Qualifier }) => [[Qualifier, Qualifier === '2' ? 1 : 0, 20]] });
  assert.match(error.message, /rolled back, etl-dev-dump to version 1: etl-dev-dump: 3 of 3 invocations failed, of the old version 0 of/);
  assert.deepEqual([alias.FunctionVersion, alias.RoutingConfig.AdditionalVersionWeights], ['1', []]);
  assert.ok(fake.clock.now() - begun < options.time);
});

test('a version that nobody invokes is not promoted', async () => {
  const fake = new FakeScf();
  await run(fake, wanted(service()));
  const { error, alias } = await release(fake, changed(), { invoke: ({ Qualifier }) => (Qualifier === '1' ? [['1', 0, 20]] : []) });
  assert.match(error.message, /invoked 0 times, at least 10 are needed/);
  assert.equal(alias.FunctionVersion, '1');
});

test('by time, all invocations go to the new version for that share of it', async () => {
  const fake = new FakeScf();
  await run(fake, wanted(service()));
  const now = [];
  const { result } = await release(fake, changed(), {
    more: { by: 'time', share: 0.25, time: 100000 },
    invoke: ({ Qualifier }) => {
      const { FunctionVersion, RoutingConfig } = fake.functions.get('etl-dev-dump').aliases.get('$DEFAULT');
      assert.deepEqual(RoutingConfig.AdditionalVersionWeights, []);
      if (Qualifier === '2') now.push(FunctionVersion);
      return Qualifier === FunctionVersion ? [[FunctionVersion, 0, 20]] : [];
    },
  });
  assert.equal(result.verdict, 'promote');
  const share = now.filter((v) => v === '2').length / now.length;
  assert.ok(share > 0.15 && share < 0.35, `the share is ${share}`);
});

test('a canary that is stopped, or whose network is cut, goes back', async () => {
  const fake = new FakeScf();
  await run(fake, wanted(service()));
  const { error, alias } = await release(fake, changed(), { stopped: () => true });
  assert.match(error.message, /it was stopped/);
  assert.equal(alias.FunctionVersion, '1');
});

test('a trigger past $DEFAULT is refused, since it would get the new version at once', async () => {
  const fake = new FakeScf();
  const latest = (s) => (s.functions.dump.events[0].ckafka.qualifier = '$LATEST');
  await run(fake, wanted(service(latest)));
  const { error } = await release(fake, wanted(service((s) => { latest(s); s.functions.dump.environment.AB = '2'; })));
  assert.match(error.message, /goes to \$LATEST, past the alias \$DEFAULT.*no canary is possible/);
});

test('what cannot be a canary is deployed at once', async () => {
  const fake = new FakeScf();
  const { result, said } = await release(fake, wanted(service()));
  assert.equal(result, null);
  assert.match(said, /nothing for a canary/);
  assert.equal(fake.functions.size, 3);
});

test('a deployment ends a canary that was left as it was', async () => {
  const fake = new FakeScf();
  await run(fake, wanted(service()));
  const dump = fake.functions.get('etl-dev-dump');
  fake.PublishVersion({ FunctionName: 'etl-dev-dump', Description: 'x' });
  dump.aliases.set('$DEFAULT', { FunctionVersion: '$LATEST', RoutingConfig: { AdditionalVersionWeights: [{ Version: '1', Weight: 0.5 }] } });
  await run(fake, wanted(service()));
  assert.deepEqual([dump.aliases.get('$DEFAULT').FunctionVersion, dump.aliases.get('$DEFAULT').RoutingConfig.AdditionalVersionWeights], ['$LATEST', []]);
});

test('judging', () => {
  const s = (invocations, errors, mean = 20) => ({ invocations, errors, mean, p95: mean, most: mean, billed: 0 });
  for (const [name, now, before, state, verdict] of [
    ['nothing yet', s(0, 0), s(0, 0), { over: false }, 'wait'],
    ['one error is not enough before the end', s(1, 1), s(100, 0), { over: false }, 'wait'],
    ['three are', s(3, 3), s(100, 0), { over: false }, 'rollback'],
    ['errors that the old one has too are not its fault', s(20, 10), s(100, 50), { over: true }, 'promote'],
    ['all of both fail: that shows nothing', s(20, 20), s(100, 100), { over: true }, 'rollback'],
    ['the old one fails, and the new one does not', s(20, 0), s(100, 100), { over: true }, 'promote'],
    ['an error in a hundred is tolerated', s(100, 1), s(100, 0), { over: true }, 'promote'],
    ['two are not', s(100, 2), s(100, 0), { over: true }, 'rollback'],
    ['too few', s(9, 0), s(100, 0), { over: true }, 'rollback'],
    ['without an old one to compare with', s(10, 0), s(0, 0), { over: true }, 'promote'],
    ['slower', s(10, 0, 200), s(10, 0, 100), { over: true }, 'rollback'],
    ['slower by noise', s(10, 0, 40), s(10, 0, 10), { over: true }, 'promote'],
    ['a lag above what is tolerated', s(10, 0), s(10, 0), { over: false, lag: 11, lagMost: 10 }, 'rollback'],
    ['a lag that is tolerated', s(10, 0), s(10, 0), { over: true, lag: 10, lagMost: 10 }, 'promote'],
  ]) {
    assert.equal(judge(now, before, state).verdict, verdict, name);
  }
});

test('invocations are counted once, over pages and looks', async () => {
  const fake = new FakeScf();
  await run(fake, wanted(service()));
  const start = fake.clock.now();
  for (let i = 0; i < 250; i++) fake.logs.push({ FunctionName: 'etl-dev-dump', Version: '$LATEST', RetCode: i % 50 ? 0 : 1, Duration: i, RequestId: `i${i}`, StartTime: time(start) });
  fake.logs.push({ FunctionName: 'etl-dev-dump', Version: '$LATEST', RetCode: 2, RequestId: 'running', StartTime: time(start) });
  const gathered = new Gathered(start - 1000);
  const id = { FunctionName: 'etl-dev-dump', Namespace: 'default' };
  assert.equal((await gathered.look(client(fake), id, start)).length, 250);
  assert.equal((await gathered.look(client(fake), id, start)).length, 0);
  assert.deepEqual(summary(gathered.all()), { invocations: 250, errors: 5, mean: 124.5, p95: 237, most: 249, billed: 0 });
});
