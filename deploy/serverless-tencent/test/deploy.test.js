'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { detach } = require('../lib/mark');
const { FakeScf } = require('./fake');
const { run, service, wanted } = require('./rig');

test('a first deployment makes functions with their triggers, open and going to $DEFAULT', async () => {
  const fake = new FakeScf();
  await run(fake, wanted(service()));
  assert.deepEqual([...fake.functions.keys()].sort(), ['etl-dev-dump', 'etl-dev-tick', 'etl-dev-watch']);
  const dump = fake.functions.get('etl-dev-dump');
  assert.deepEqual(dump.config.VpcConfig, { VpcId: 'vpc-1', SubnetId: 'subnet-1' });
  assert.deepEqual(dump.config.Environment.Variables, [
    { Key: 'ALL', Value: 'yes' }, { Key: 'TARGET_SASL_PASSWORD', Value: 'hunter2' }, { Key: 'AB', Value: '1' },
  ]);
  assert.equal(detach(dump.config.Description).text, 'Copies a topic');
  assert.deepEqual(dump.triggers.map((t) => [t.TriggerName, t.Enable, t.Qualifier]), [['ckafka-1-orders', 1, '$DEFAULT']]);
  assert.deepEqual([...dump.aliases.keys()], ['$DEFAULT'], 'no lock is left');
});

test('one more deployment of the same makes no call that writes', async () => {
  const fake = new FakeScf();
  await run(fake, wanted(service()));
  const before = fake.written.length;
  await run(fake, wanted(service()));
  assert.equal(fake.written.length, before);
});

test('a changed variable changes its function only', async () => {
  const fake = new FakeScf();
  await run(fake, wanted(service()));
  const before = fake.calls.length;
  await run(fake, wanted(service((s) => (s.functions.dump.environment.AB = '2'))));
  const changes = fake.calls.slice(before).filter((c) => /^Update(Function|Trigger)/.test(c.action));
  assert.deepEqual(changes.map((c) => [c.action, c.parameters.FunctionName]), [['UpdateFunctionConfiguration', 'etl-dev-dump']]);
});

test('changed code is sent, and no description names code that is not there', async () => {
  const fake = new FakeScf();
  await run(fake, wanted(service()));
  const marks = [];
  fake.intercept = (c) => {
    if (c.action === 'UpdateFunctionCode') marks.push(detach(fake.functions.get('etl-dev-tick').config.Description).mark.code);
  };
  const want = wanted(service(), { tick: 'v2' });
  await run(fake, want);
  assert.deepEqual(marks, ['']);
  assert.equal(fake.functions.get('etl-dev-tick').code, want.functions[1].code.zip);
  assert.equal(detach(fake.functions.get('etl-dev-tick').config.Description).mark.code, want.functions[1].code.code);
});

test('what the file no longer names is deleted, and what others have made stays', async () => {
  const fake = new FakeScf();
  await run(fake, wanted(service()));
  await run(fake, wanted(service((s) => { s.service = 'other'; s.functions = { a: { handler: 'main' } }; })));
  await run(fake, wanted(service((s) => { s.provider.stage = 'prod'; s.functions = { a: { handler: 'main' } }; })));
  fake.CreateFunction({ FunctionName: 'by-hand', Code: { ZipFile: 'x' }, Description: 'etl dev' });
  await run(fake, wanted(service((s) => { delete s.functions.dump; s.functions.tick.events.pop(); })));
  assert.deepEqual([...fake.functions.keys()].sort(), ['by-hand', 'etl-dev-tick', 'etl-dev-watch', 'etl-prod-a', 'other-dev-a']);
  assert.deepEqual(fake.functions.get('etl-dev-tick').triggers.map((t) => t.Type), ['timer']);
});

test('a service without functions removes all of its own, the one with the lock last', async () => {
  const fake = new FakeScf();
  await run(fake, wanted(service()));
  await run(fake, wanted(service((s) => (s.functions = {}))));
  assert.deepEqual([...fake.functions.keys()], []);
  const deleted = fake.calls.filter((c) => c.action === 'DeleteFunction').map((c) => c.parameters.FunctionName);
  assert.equal(deleted.at(-1), fake.calls.find((c) => c.action === 'CreateAlias').parameters.FunctionName);
});

test('a function of that name that the service has not made is refused, and taken over when told so', async () => {
  const fake = new FakeScf({ slow: 0 });
  fake.CreateFunction({ FunctionName: 'etl-dev-tick', Code: { ZipFile: 'x' }, Handler: 'main', Runtime: 'Go1', Description: 'mine' });
  await assert.rejects(run(fake, wanted(service())), /nothing was changed:\n.*have not made it.*--adopt/s);
  assert.equal(fake.functions.size, 1);
  await run(fake, wanted(service()), { adopt: true });
  assert.equal(fake.functions.size, 3);
  const before = fake.written.length;
  await run(fake, wanted(service()));
  assert.equal(fake.written.length, before);
});

test('another offset or group is refused with the reason, and replaced when told so', async () => {
  const fake = new FakeScf();
  await run(fake, wanted(service()));
  const changed = () => wanted(service((s) => (s.functions.dump.events[0].ckafka.offset = 'latest')));
  await assert.rejects(run(fake, changed()), /offset from earliest to latest.*committed offsets of its group.*--replace-triggers/);
  await run(fake, changed(), { replaceTriggers: true });
  const [trigger] = fake.functions.get('etl-dev-dump').triggers;
  assert.equal(JSON.parse(trigger.TriggerDesc).offset, 'latest');
});

test('what UpdateTrigger can change is updated in place', async () => {
  const fake = new FakeScf();
  await run(fake, wanted(service()));
  const before = fake.calls.length;
  await run(fake, wanted(service((s) => {
    s.functions.dump.events[0].ckafka.maxMsgNum = 5;
    s.functions.tick.events[0].timer.cron = '0 30 * * * * *';
    s.functions.watch.events[0].cos.enable = false;
  })));
  const actions = fake.calls.slice(before).map((c) => c.action).filter((a) => /Trigger/.test(a) && !/^List/.test(a));
  assert.deepEqual(actions.sort(), ['UpdateTrigger', 'UpdateTrigger', 'UpdateTriggerStatus']);
  assert.equal(fake.functions.get('etl-dev-watch').triggers[0].Enable, 0);
});

test('publish makes each change a version that $DEFAULT points to, with its provisioned instances', async () => {
  const fake = new FakeScf();
  const with1 = (s) => Object.assign(s.functions.tick, { publish: true, concurrency: { reserved: 1280, provisioned: 2 } });
  await run(fake, wanted(service(with1)));
  const tick = fake.functions.get('etl-dev-tick');
  assert.equal(tick.aliases.get('$DEFAULT').FunctionVersion, '1');
  assert.equal(tick.reserved, 1280);
  await run(fake, wanted(service(with1), { tick: 'v2' }));
  assert.equal(tick.aliases.get('$DEFAULT').FunctionVersion, '2');
  assert.deepEqual(tick.provisioned, [{ Qualifier: '2', AllocatedProvisionedConcurrencyNum: 2 }]);
  const before = fake.written.length;
  await run(fake, wanted(service(with1), { tick: 'v2' }));
  assert.equal(fake.written.length, before);
});

test('settings that are taken out of the file are cleared', async () => {
  const fake = new FakeScf();
  const full = (s) => Object.assign(s.functions.tick, {
    role: 'r', layers: [{ name: 'ffmpeg', version: 1 }], deadLetter: { type: 'topic', name: 'd' }, async: { retry: 1, messageLifetime: 60 },
    vpcConfig: { vpcId: 'v', subnetId: 's' }, concurrency: { reserved: 1280 },
  });
  await run(fake, wanted(service(full)));
  await run(fake, wanted(service((s) => delete s.provider.environment)));
  const tick = fake.functions.get('etl-dev-tick');
  assert.deepEqual(tick.config.Environment.Variables, []);
  assert.deepEqual([tick.config.Role, tick.config.Layers, tick.config.DeadLetterConfig.Name, tick.config.VpcConfig.VpcId, tick.reserved], ['', [], '', '', 0]);
  const before = fake.written.length;
  await run(fake, wanted(service((s) => delete s.provider.environment)));
  assert.equal(fake.written.length, before);
});

test('a trigger that moves to another function is never there twice', async () => {
  const fake = new FakeScf();
  await run(fake, wanted(service()));
  const before = fake.calls.length;
  await run(fake, wanted(service((s) => { s.functions.tick.events.push(s.functions.watch.events.pop()); })));
  const moved = fake.calls.slice(before).filter((c) => c.parameters.Type === 'cos').map((c) => c.action);
  assert.deepEqual(moved, ['DeleteTrigger', 'CreateTrigger']);
});

test('a function that cannot be created is told of with the reason, and made anew by the next deployment', async () => {
  const fake = new FakeScf();
  await assert.rejects(run(fake, wanted(service((s) => (s.functions.watch.memorySize = 3072)))), /etl-dev-watch is CreateFailed: Oops: the subnet is full/);
  await run(fake, wanted(service()));
  assert.equal(fake.functions.get('etl-dev-watch').state, 'Active');
});

test('a failure says what was done and what was not', async () => {
  const fake = new FakeScf();
  const want = wanted(service((s) => (s.functions.dump.events[0].ckafka.topic = 'missing')));
  await assert.rejects(run(fake, want), (error) => {
    assert.match(error.message, /CreateTrigger: ResourceNotFound.CkafkaTopic: .*; create the topic first/);
    assert.match(error.message, /done: +create etl-dev-/);
    assert.match(error.message, /not known: +create trigger ckafka ckafka-1-missing of etl-dev-dump, open/);
    assert.match(error.message, /deploy again/);
    return true;
  });
});

test('a version that could not be published is published again', async () => {
  const fake = new FakeScf();
  const published = (s) => (s.functions.tick.publish = true);
  await run(fake, wanted(service(published)));
  fake.functions.get('etl-dev-tick').versions[0].Status = 'PublishFailed';
  await run(fake, wanted(service(published)));
  assert.equal(fake.functions.get('etl-dev-tick').aliases.get('$DEFAULT').FunctionVersion, '2');
});
