'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Client } = require('../lib/client');
const { fromEnvironment } = require('../lib/settings');
const { FakeScf, key } = require('./fake');
const { client, pace } = require('./rig');
const { serve } = require('./serve');

const list = (c) => c.read('ListFunctions', { Offset: 0, Limit: 10 });

test('it speaks HTTP, and a server that goes away is a Network fault', async (t) => {
  const fake = new FakeScf();
  const server = await serve(fake);
  t.after(server.close);
  const http = (url) => new Client({ endpoint: new URL(url), region: 'r', credentials: key, clock: fake.clock, pace });
  assert.deepEqual((await list(http(server.url))).Functions, []);
  await assert.rejects(list(http('http://127.0.0.1:1')), /ListFunctions: Network: .*TENCENTCLOUD_SCF_ENDPOINT/);
  fake.intercept = () => ({ before: true });
  await assert.rejects(list(http(server.url)), /Network: socket hang up/);
});

test('what is wrong with a key or a clock is said', async () => {
  const fake = new FakeScf();
  const of = (more) => list(client(fake, more));
  await assert.rejects(of({ credentials: { ...key, secretKey: 'x' } }), /SignatureFailure.*; TENCENTCLOUD_SECRET_KEY does not belong to TENCENTCLOUD_SECRET_ID/);
  await assert.rejects(of({ credentials: { ...key, secretId: 'x' } }), /SecretIdNotFound.*; TENCENTCLOUD_SECRET_ID is unknown/);
  const fast = { ...fake.clock, now: () => fake.clock.now() + 600000 };
  await assert.rejects(of({ clock: fast }), /the clock of this machine is wrong by about 600 s, it is ahead/);
  fake.intercept = () => ({ error: { Code: 'AuthFailure.TokenFailure', Message: 'expired' } });
  await assert.rejects(of({}), /TENCENTCLOUD_TOKEN has expired/);
  fake.intercept = () => ({ error: { Code: 'UnsupportedRegion', Message: 'no' } });
  await assert.rejects(of({}), /provider.region is no region of SCF/);
  fake.intercept = () => ({ error: { Code: 'UnauthorizedOperation', Message: 'no' } });
  await assert.rejects(of({}), /the key may not call ListFunctions/);
});

test('only what is throttled or not known is tried again, with a growing wait', async () => {
  const fake = new FakeScf();
  const waits = [];
  const clock = { ...fake.clock, sleep: async (ms) => waits.push(ms) };
  fake.intercept = () => ({ error: { Code: 'InternalError.System', Message: 'oops' } });
  await assert.rejects(list(client(fake, { clock })), /InternalError/);
  assert.deepEqual(waits, [375, 750, 1500]);
  fake.intercept = () => ({ error: { Code: 'InvalidParameter', Message: 'no' } });
  const before = fake.calls.length;
  await assert.rejects(list(client(fake)), /InvalidParameter/);
  assert.equal(fake.calls.length, before + 1);
});

test('a write that may have happened is looked up before it is repeated', async () => {
  const fake = new FakeScf();
  let asked = 0;
  fake.intercept = ({ index }) => (index === 0 ? { after: true } : null);
  const answer = await client(fake).write('ListFunctions', { Offset: 0, Limit: 1 }, async () => ++asked > 0);
  assert.deepEqual([answer, asked, fake.calls.length], [{}, 1, 1]);
});

test('an endpoint without encryption is for this machine alone', () => {
  const env = { TENCENTCLOUD_SECRET_ID: 'a', TENCENTCLOUD_SECRET_KEY: 'b' };
  assert.equal(fromEnvironment(env).endpoint.href, 'https://scf.tencentcloudapi.com/');
  assert.equal(fromEnvironment({ ...env, TENCENTCLOUD_SCF_ENDPOINT: 'http://localhost:9583' }).endpoint.port, '9583');
  assert.throws(() => fromEnvironment({ ...env, TENCENTCLOUD_SCF_ENDPOINT: 'http://example.com' }), /must begin with https/);
  assert.throws(() => fromEnvironment({ TENCENTCLOUD_SECRET_ID: 'a' }), /set TENCENTCLOUD_SECRET_KEY/);
});
