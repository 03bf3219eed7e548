'use strict';

const { parse } = require('./cron');
const limits = require('./limits');

const functionName = /^[a-zA-Z]([a-zA-Z0-9_-]*[a-zA-Z0-9])?$/;
const variableName = /^[a-zA-Z][a-zA-Z0-9_]*$/;
const timerName = /^[a-zA-Z][a-zA-Z0-9_-]*$/;

/**
 * Holds what serverless.yml wants against the limits of the platform. The rules are those of `etl lint`.
 *
 * @param {ReturnType<import('./desired').desired>} wanted
 * @param {object} service serverless.service, for the places of values
 * @returns {string[]} what is wrong, each with its path; empty where the platform can take it
 */
function validate(wanted, service) {
  const faults = [];
  const names = new Map();
  if (wanted.bucket && !/^[a-z0-9][a-z0-9-]*-\d+$/.test(wanted.bucket)) {
    faults.push(`provider.deploymentBucket: ${wanted.bucket} is no bucket: want NAME-APPID, like code-1250000000`);
  }
  for (const f of wanted.functions) {
    const say = (key, message) => faults.push(`functions.${f.key}${key ? `.${key}` : ''}: ${message}`);
    if (names.has(f.name)) say('name', `${f.name} is the name of functions.${names.get(f.name)} too`);
    names.set(f.name, f.key);
    checkFunction(f, say);
    checkEnvironment(f, say);
    checkNulls(service, f, say);
    checkMore(f, say);
    checkTriggers(f, say);
  }
  return faults;
}

function checkFunction(f, say) {
  const s = f.settings;
  if (f.name.length < limits.minName || f.name.length > limits.maxName || !functionName.test(f.name)) {
    say('name', `${f.name} has ${f.name.length} characters; the platform takes 2 to 60 letters, digits, - and _, ` +
      'a letter first, no - or _ last: shorten service, stage or function, or set name');
  }
  if (!s.handler) say('handler', 'is missing: name the binary in the package, like main');
  else if (/[/\\]/.test(s.handler)) say('handler', `${s.handler} is a path; want the name of the binary at the top of the package`);
  const m = s.memorySize;
  const steps = m >= limits.memoryStep && m <= limits.maxMemory && m % limits.memoryStep === 0;
  if (m !== limits.minMemory && !steps) {
    const next = m <= 64 ? 64 : Math.min(Math.ceil(m / limits.memoryStep) * limits.memoryStep, limits.maxMemory);
    say('memorySize', `${m} is no memory size; 64, or 128 to 3072 in steps of 128: the next one is ${next}`);
  }
  between(say, 'timeout', s.timeout, limits.minTimeout, limits.maxTimeout, 'seconds');
  const length = [...s.description].length;
  if (length > limits.maxDescription) say('description', `has ${length} characters, at most ${limits.maxDescription} are taken`);
  if (s.vpc && (!s.vpc.vpcId || !s.vpc.subnetId)) say('vpcConfig', 'vpcId and subnetId go together: one of them is empty');
}

function between(say, key, value, least, most, unit) {
  if (value < least || value > most) say(key, `${value} is out of range: ${least} to ${most} ${unit}`);
}

function checkEnvironment(f, say) {
  let size = 0;
  for (const [key, value] of Object.entries(f.settings.environment)) {
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
    if (key.length < limits.minEnvironmentKey || key.length > limits.maxEnvironmentKey || !variableName.test(key)) {
      say(`environment.${key}`, 'is refused as the name of a variable: 2 to 64 letters, digits and _, a letter first');
    }
    const reserved = ['SCF_', 'QCLOUD_', 'TENCENTCLOUD_'].find((prefix) => key.startsWith(prefix));
    if (reserved) say(`environment.${key}`, `names that begin with ${reserved} belong to the platform`);
  }
  if (size > limits.maxEnvironment) {
    say('environment', `keys and values take ${size} bytes, at most ${limits.maxEnvironment}: keep long values in COS or in the package`);
  }
}

function checkNulls(service, f, say) {
  const own = ((service.functions || {})[f.key] || {}).environment || {};
  for (const map of [(service.provider || {}).environment || {}, own]) {
    for (const [key, value] of Object.entries(map)) {
      if ((value === null || value === undefined) && !(key in f.settings.environment)) {
        say(`environment.${key}`, "has no value: write '' for an empty text, or remove the key");
      }
    }
  }
}

function checkMore(f, say) {
  if (f.async) {
    between(say, 'async.retry', f.async.retry, 0, limits.maxAsyncRetry, 'retries');
    between(say, 'async.messageLifetime', f.async.messageLifetime, limits.minMessageLifetime, limits.maxMessageLifetime, 'seconds');
  }
  if (f.reserved < 0 || f.reserved % 128 !== 0) {
    say('concurrency.reserved', `${f.reserved} MB is no such size: a multiple of 128`);
  } else if (f.reserved > 0 && f.reserved < f.settings.memorySize) {
    say('concurrency.reserved', `${f.reserved} MB is less than one instance: its memorySize is ${f.settings.memorySize} MB`);
  }
  if (f.provisioned < 0) say('concurrency.provisioned', `${f.provisioned} is below 0`);
  if (f.provisioned > 0 && !f.publish) say('concurrency.provisioned', 'needs a published version: set publish: true');
  f.settings.layers.forEach((layer, i) => {
    if (!layer.name || layer.version < 1) say(`layers.${i}`, 'needs a name and a version of 1 or more');
  });
  if (f.settings.deadLetter && (!f.settings.deadLetter.type || !f.settings.deadLetter.name)) {
    say('deadLetter', 'needs type and name');
  }
}

function checkTriggers(f, say) {
  const seen = new Map();
  const count = {};
  f.triggers.forEach((t, i) => {
    const path = `events.${i}.${t.type}`;
    count[t.type] = (count[t.type] || 0) + 1;
    if (count[t.type] === limits.maxTriggersOfKind + 1) {
      say(path, `the function has more than ${limits.maxTriggersOfKind} triggers of the kind ${t.type}`);
    }
    const id = `${t.type} ${t.name}`;
    if (seen.has(id)) say(path, `is the same trigger as events.${seen.get(id)}: both are named ${t.name}`);
    else seen.set(id, i);
    checks[t.type](t, (key, message) => say(`${path}.${key}`, message));
  });
}

const checks = {
  ckafka(t, say) {
    if (t.name.startsWith('-')) say('instanceId', 'is missing: give the id of the CKafka instance, ckafka-xxxxxxxx');
    if (t.name.endsWith('-')) say('topic', 'is missing');
    between(say, 'maxMsgNum', t.settings.maxMsgNum, limits.minMaxMsgNum, limits.maxMaxMsgNum, 'records');
    between(say, 'timeOut', t.settings.timeOut, limits.minBatchTime, limits.maxBatchTime, 'seconds');
    if (t.settings.retry < 0) say('retry', `${t.settings.retry} is below 0`);
    const offset = t.settings.offset;
    if (!/^(latest|earliest|\d{1,18})$/.test(offset)) {
      say('offset', `${offset} is no offset: latest, earliest or a time in milliseconds since 1970`);
    }
  },
  timer(t, say) {
    if (!timerName.test(t.name) || t.name.length > limits.maxTimerName) {
      say('name', `${t.name || 'nothing'} is refused as the name of a timer: 1 to 60 letters, digits, - and _, a letter first`);
    }
    const size = Buffer.byteLength(t.settings.argument);
    if (size > limits.maxTimerArgument) say('argument', `has ${size} bytes, at most ${limits.maxTimerArgument} are taken`);
    const wrong = parse(t.settings.cron);
    if (wrong) say('cron', wrong);
  },
  cos(t, say) {
    if (!t.name) say('bucket', 'is missing');
    if (!t.settings.event) say('events', 'is missing');
  },
  http() {},
};

module.exports = { validate };
