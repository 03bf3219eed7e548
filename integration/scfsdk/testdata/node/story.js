'use strict';
// Deploys a function with the official SDK, uses all of it, and removes it. The API is at SCF_ENDPOINT, the keys are
// SCF_ID and SCF_KEY, the function's zip is the file SCF_ZIP. It ends with 1 at the first difference.
const assert = require('node:assert');
const fs = require('node:fs');
const { setTimeout: sleep } = require('node:timers/promises');
const { scf } = require('tencentcloud-sdk-nodejs-scf');

const NAME = 'sdk-node';
const env = process.env;

function client(secretId, secretKey) {
  return new scf.v20180416.Client({
    credential: { secretId, secretKey },
    region: 'ap-guangzhou',
    profile: { httpProfile: { protocol: 'http://', endpoint: env.SCF_ENDPOINT, reqTimeout: 60 } },
  });
}

const api = client(env.SCF_ID, env.SCF_KEY);
const call = (action, parameters = {}, to = api) => to[action]({ FunctionName: NAME, ...parameters });

async function refused(code, action, parameters, to) {
  const error = await call(action, parameters, to).then(() => null, (e) => e);
  assert.ok(error, `${action} was not refused, want ${code}`);
  assert.strictEqual(error.code, code, `${action}: ${error}`);
  assert.ok(error.requestId);
}

async function until(what, so) {
  for (const deadline = Date.now() + 120_000; ; await sleep(20)) {
    const value = await so();
    if (value) return value;
    assert.ok(Date.now() < deadline, `in vain: ${what}`);
  }
}

const active = (parameters) => until('it is Active', async () => {
  const f = await call('GetFunction', parameters);
  assert.doesNotMatch(f.Status, /Failed/, JSON.stringify(f.StatusReasons));
  return f.Status === 'Active' && f;
});

async function colour(parameters) {
  const { Result } = await call('Invoke', { ClientContext: '{}', LogType: 'Tail', ...parameters });
  assert.strictEqual(Result.InvokeResult, 0, JSON.stringify(Result));
  assert.ok(Result.Log.includes(Result.FunctionRequestId));
  return JSON.parse(Result.RetMsg).Environ.find((e) => e.startsWith('COLOUR=')).slice('COLOUR='.length);
}

const variables = (value) => ({ Variables: [{ Key: 'COLOUR', Value: value }] });

async function main() {
  await refused('AuthFailure.SignatureFailure', 'GetFunction', {}, client(env.SCF_ID, 'wrong'));
  await refused('AuthFailure.SecretIdNotFound', 'GetFunction', {}, client('nobody', env.SCF_KEY));
  await refused('ResourceNotFound.Function', 'GetFunction');
  const ZipFile = fs.readFileSync(env.SCF_ZIP).toString('base64');
  await call('CreateFunction', {
    Code: { ZipFile }, Handler: 'main', Runtime: 'Go1', MemorySize: 256, Timeout: 30, Environment: variables('blue'),
  });
  const f = await active();
  assert.deepStrictEqual([f.MemorySize, f.Timeout, f.Environment.Variables], [256, 30, [{ Key: 'COLOUR', Value: 'blue' }]]);
  assert.strictEqual(await colour(), 'blue');

  assert.strictEqual((await call('PublishVersion', { Description: 'the first' })).FunctionVersion, '1');
  await active({ Qualifier: '1' });
  await call('UpdateFunctionCode', { ZipFile, Handler: 'main' });
  await active();
  await call('UpdateFunctionConfiguration', { Environment: variables('green'), MemorySize: 128 });
  await active();
  assert.deepStrictEqual([await colour(), await colour({ Qualifier: '1' })], ['green', 'blue']);
  const versions = await call('ListVersionByFunction', { OrderBy: 'AddTime', Order: 'ASC' });
  assert.deepStrictEqual(versions.FunctionVersion, ['$LATEST', '1']);

  await call('CreateAlias', { Name: 'live', FunctionVersion: '1' });
  assert.strictEqual(await colour({ Qualifier: 'live' }), 'blue');
  const weights = [{ Version: '$LATEST', Weight: 1 }];
  await call('UpdateAlias', { Name: 'live', FunctionVersion: '1', RoutingConfig: { AdditionalVersionWeights: weights } });
  assert.strictEqual(await colour({ Qualifier: 'live' }), 'green');
  assert.deepStrictEqual((await call('GetAlias', { Name: 'live' })).RoutingConfig.AdditionalVersionWeights, weights);
  assert.deepStrictEqual((await call('ListAliases')).Aliases.map((a) => a.Name), ['$DEFAULT', 'live']);

  const trigger = { TriggerName: 'hourly', Type: 'timer', Qualifier: 'live' };
  const made = await call('CreateTrigger', { ...trigger, TriggerDesc: '0 0 * * * * *', Enable: 'OPEN' });
  assert.deepStrictEqual([made.TriggerInfo.TriggerDesc, made.TriggerInfo.Enable], ['{"cron":"0 0 * * * * *"}', 1]);
  await call('UpdateTriggerStatus', { ...trigger, Enable: 'CLOSE' });
  assert.deepStrictEqual((await call('ListTriggers')).Triggers.map((t) => [t.TriggerName, t.Enable]), [['hourly', 0]]);
  await call('DeleteTrigger', trigger);

  const sent = (await call('Invoke', { InvocationType: 'Event', ClientContext: '{}' })).Result.FunctionRequestId;
  const logs = await until('the event is delivered', async () => {
    const l = await call('GetFunctionLogs', { FunctionRequestId: sent });
    return l.TotalCount > 0 && l;
  });
  assert.deepStrictEqual([logs.Data[0].RetCode, logs.Data[0].RequestId], [0, sent]);

  assert.deepStrictEqual((await api.ListFunctions({ SearchKey: NAME })).Functions.map((x) => x.FunctionName), [NAME]);
  await call('DeleteAlias', { Name: 'live' });
  await call('DeleteFunction', { Qualifier: '1' });
  await call('DeleteFunction');
  await until('it is gone', async () => (await api.ListFunctions({ SearchKey: NAME })).TotalCount === 0);
  console.log('done');
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
