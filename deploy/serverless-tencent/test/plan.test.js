'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { read } = require('../lib/actual');
const { attach, detach, owner } = require('../lib/mark');
const { plan } = require('../lib/plan');
const render = require('../lib/render');
const { isSecret, shown } = require('../lib/redact');
const { FakeScf } = require('./fake');
const { client, run, service, wanted } = require('./rig');

/** What a change of the deployed service plans. */
async function planned(change, options = {}, code = {}) {
  const fake = new FakeScf();
  await run(fake, wanted(service()));
  const want = wanted(service(change), code);
  const actual = await read(client(fake), want, want.functions.map((f) => f.name));
  return plan(want, actual, options);
}

test('the plan of a change', async () => {
  for (const [name, change, lines, code] of [
    ['none', () => {}, ['nothing to change']],
    ['memory', (s) => (s.functions.dump.memorySize = 256), ['update the settings of etl-dev-dump', '  ~ memorySize: 128 -> 256']],
    ['a variable more', (s) => (s.functions.tick.environment = { NEW: 'x' }), ['update the settings of etl-dev-tick', '  + environment.NEW: x']],
    ['a variable less', (s) => delete s.functions.dump.environment.AB, ['update the settings of etl-dev-dump', '  - environment.AB: 1']],
    ['a secret', (s) => (s.functions.dump.environment.TARGET_SASL_PASSWORD = 'other'),
      ['update the settings of etl-dev-dump', '  ~ environment.TARGET_SASL_PASSWORD: [redacted] -> [redacted] (changed)']],
    ['a closed trigger', (s) => (s.functions.tick.events[0].timer.enable = false),
      ['close trigger timer hourly of etl-dev-tick, closed', '  ~ enable: true -> false', 'note: functions.tick: the trigger timer hourly is deployed closed: enable is false']],
    ['a cron', (s) => (s.functions.tick.events[0].timer.cron = '0 30 * * * * *'),
      ['update trigger timer hourly of etl-dev-tick, open', '  ~ cron: 0 0 * * * * * -> 0 30 * * * * *']],
    ['a function less', (s) => delete s.functions.watch,
      ['delete trigger cos b-1.cos.ap-guangzhou.myqcloud.com of etl-dev-watch', 'delete etl-dev-watch']],
    ['another runtime', (s) => (s.functions.dump.runtime = 'Python3.9'),
      ['nothing to change', 'refused: functions.dump.runtime: the platform cannot change Go1 to Python3.9: remove the function first']],
    ['tags', (s) => (s.functions.dump.tags = { team: 'data' }),
      ['nothing to change', 'note: functions.dump.tags: the API of SCF sets tags when a function is created, and cannot change them: change them in the console']],
    ['asynchronous events', (s) => (s.functions.tick.async = { retry: 1 }), ['update the asynchronous events of etl-dev-tick', '  ~ async.retry: 2 -> 1']],
  ]) {
    assert.deepEqual(render.text(await planned(change, {}, code)).split('\n'), lines, name);
  }
});

test('code is compared by its digest, and sent all the same with --force', async () => {
  const kinds = (p) => p.steps.map((s) => `${s.kind} ${s.function}`);
  assert.deepEqual(kinds(await planned(() => {}, {}, { tick: 'v2' })), ['code etl-dev-tick', 'settings etl-dev-tick']);
  assert.deepEqual(kinds(await planned(() => {}, { force: true, only: 'etl-dev-dump' })), ['code etl-dev-dump', 'settings etl-dev-dump']);
});

test('one function alone leaves the others, and what is no longer named, as they are', async () => {
  const p = await planned((s) => { delete s.functions.watch; s.functions.dump.memorySize = 256; s.functions.tick.memorySize = 256; }, { only: 'etl-dev-tick' });
  assert.deepEqual(p.steps.map((s) => s.function), ['etl-dev-tick']);
});

test('no plan shows a secret, as text or as JSON', async () => {
  const p = await planned((s) => {
    s.functions.new = { handler: 'main', environment: { DB_PASSWORD: 'hunter2', ETL_KEY: 'hunter2', URL: 'https://user:hunter2@example.com/x' } };
    s.functions.dump.environment.TARGET_SASL_PASSWORD = 'hunter3';
  });
  assert.doesNotMatch(render.text(p), /hunter/);
  assert.doesNotMatch(JSON.stringify(render.json(p)), /hunter/);
});

test('secrets are known by the names that pkg/scf knows', () => {
  for (const name of ['DB_PASSWORD', 'api-key', 'TOKEN', 'MY_SECRET_KEY', 'credentials', 'ETL_KEY']) assert.ok(isSecret(name), name);
  for (const name of ['TOPIC', 'TOKENS', 'KEY', 'PASSWORD_FILE']) assert.ok(!isSecret(name), name);
  assert.equal(shown('A', 'x'.repeat(100)).length, 80);
});

test('a mark goes with any description, which is cut where both are too long', () => {
  const mark = { owner: owner('etl', 'dev'), code: 'c'.repeat(32), settings: '' };
  for (const text of ['', 'Copies', '日本'.repeat(500), 'sls owner 0123456789abcdef', 'ends with code']) {
    const both = detach(attach(text, mark));
    assert.deepEqual(both.mark, mark);
    assert.ok(text.startsWith(both.text) && [...attach(text, mark)].length <= 1000);
  }
  assert.equal(detach('a description of a user').mark, null);
  assert.notEqual(owner('a', 'bc'), owner('ab', 'c'));
});
