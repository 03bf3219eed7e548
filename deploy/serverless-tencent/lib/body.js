'use strict';

const { desc } = require('./trigger');

/**
 * The parameters of CreateFunction and UpdateFunctionConfiguration that are settings.
 *
 * @param {import('./desired').Settings} want
 * @param {import('./desired').Settings|null} have null for a function that is created: then nothing has to be cleared
 * @returns {object}
 */
function settings(want, have) {
  const variables = Object.entries(want.environment).map(([Key, Value]) => ({ Key, Value }));
  const body = { MemorySize: want.memorySize, Timeout: want.timeout };
  if (variables.length > 0) body.Environment = { Variables: variables };
  else if (have && Object.keys(have.environment).length > 0) body.Environment = { Variables: [{ Key: '', Value: '' }] };
  if (want.role || have?.role) body.Role = want.role;
  if (want.vpc) body.VpcConfig = { VpcId: want.vpc.vpcId, SubnetId: want.vpc.subnetId };
  else if (have?.vpc) body.VpcConfig = { VpcId: '', SubnetId: '' };
  if (want.cls) Object.assign(body, { ClsLogsetId: want.cls.logsetId, ClsTopicId: want.cls.topicId });
  if (want.layers.length > 0) body.Layers = want.layers.map((l) => ({ LayerName: l.name, LayerVersion: l.version }));
  else if (have?.layers.length > 0) body.Layers = [{ LayerName: '', LayerVersion: 0 }];
  if (want.deadLetter) body.DeadLetterConfig = { Type: want.deadLetter.type, Name: want.deadLetter.name };
  else if (have?.deadLetter) body.DeadLetterConfig = { Type: '', Name: '' };
  return body;
}

/**
 * The parameters of CreateTrigger and UpdateTrigger but for the function.
 *
 * @param {import('./trigger').Trigger} t
 * @returns {object}
 */
function trigger(t) {
  const body = {
    TriggerName: t.name,
    Type: t.type,
    TriggerDesc: desc(t),
    Qualifier: t.qualifier,
    Enable: t.enabled ? 'OPEN' : 'CLOSE',
  };
  if (t.type === 'timer') body.CustomArgument = t.settings.argument;
  return body;
}

module.exports = { settings, trigger };
