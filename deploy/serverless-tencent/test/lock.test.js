'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Lock } = require('../lib/lock');
const { FakeScf } = require('./fake');
const { client, run, service, wanted } = require('./rig');

test('of two deployments at once one ends well, and the other changes nothing or ends well after it', async () => {
  for (const before of [false, true]) {
    for (let round = 0; round < 20; round++) {
      const fake = new FakeScf({ slow: round % 3 });
      if (before) await run(fake, wanted(service()));
      const of = (n) => wanted(service((s) => { for (const f of Object.values(s.functions)) f.environment = { WHO: String(n) }; }), { dump: `v${n}`, tick: `v${n}`, watch: `v${n}` });
      const results = await Promise.allSettled([run(fake, of(1), { lockTimeout: 1e6 }), run(fake, of(2), { lockTimeout: 1e6 })]);
      for (const r of results) if (r.status === 'rejected') assert.match(r.reason.message, /another deployment/);
      const carriedOut = fake.calls.filter((c) => /^(Create|Update)Function/.test(c.action) && !c.refused);
      const owners = carriedOut.map((c) => c.parameters.Environment?.Variables.find((v) => v.Key === 'WHO')?.Value).filter(Boolean);
      const changes = owners.filter((who, i) => i > 0 && who !== owners[i - 1]).length;
      const winners = results.filter((r) => r.status === 'fulfilled').length;
      assert.ok(changes <= 1, `before ${before}, round ${round}: they interleave: ${owners}`);
      if (winners === 0) await run(fake, of(1), { lockTimeout: 1000 });
      const final = new Set([...fake.functions.values()].map((f) => JSON.stringify(f.config.Environment.Variables.filter((v) => v.Key === 'WHO'))));
      assert.equal(final.size, 1, `before ${before}, round ${round}: functions of both`);
    }
  }
});

test('a lock is refused while its holder is alive, and taken over when it is dead', async () => {
  const fake = new FakeScf();
  await run(fake, wanted(service()));
  const names = async () => [...fake.functions.keys()];
  const dead = new Lock(client(fake), 'default', { timeout: 1000, id: 'dead' });
  await dead.acquire(names);
  const said = [];
  const alive = new Lock(client(fake), 'default', { timeout: 1000, id: 'alive' });
  await alive.acquire(names, (text) => said.push(text));
  assert.match(said[0], /taken over/);
  fake.clock.sleep(500);
  await assert.rejects(dead.touch(), /another deployment has taken the lock/);
  const third = new Lock(client(fake), 'default', { timeout: 1000, id: 'third' });
  const beating = { ...fake.clock, sleep: async (ms) => { await fake.clock.sleep(ms); await alive.touch(); } };
  third.client = client(fake, { clock: beating });
  await assert.rejects(third.acquire(names), /another deployment of this service is under way/);
  await alive.release();
  await third.acquire(names);
});

test('two that lock at different functions see each other', async () => {
  const fake = new FakeScf();
  await run(fake, wanted(service()));
  const all = [...fake.functions.keys()].sort();
  const one = new Lock(client(fake), 'default', { timeout: 1000, id: 'one' });
  const two = new Lock(client(fake), 'default', { timeout: 1000, id: 'two' });
  const results = await Promise.allSettled([one.acquire(async () => all.slice(1)), two.acquire(async () => all)]);
  assert.ok(results.filter((r) => r.status === 'fulfilled').length <= 1);
});
