'use strict';

const limits = require('./limits');

const text = { type: 'string' };
const whole = { type: 'integer' };
const flag = { type: 'boolean' };
const texts = { type: 'object', additionalProperties: { type: 'string' } };
const list = { type: 'array', items: text };
const map = (properties) => ({ type: 'object', properties, additionalProperties: false });

const enable = ['enable', flag, 'true', 'whether the trigger fires as soon as it is deployed'];
const qualifier = ['qualifier', text, limits.defaultQualifier, 'the version or alias that is invoked'];

// What a function takes over from provider, or says itself.
const shared = [
  ['runtime', text, limits.defaultRuntime, 'of all but Go1 the framework knows no more than that'],
  ['role', text, 'none', 'the role whose rights the function has: name of a CAM role'],
  ['memorySize', whole, String(limits.defaultMemory), 'MB: 64, or 128 to 3072 in steps of 128'],
  ['timeout', whole, String(limits.defaultTimeout), 'seconds: 1 to 900'],
  ['environment', texts, 'none', "variables; a function's own go over provider's; 4 KB of keys and values"],
  ['vpcConfig', map({ vpcId: text, subnetId: text }), 'none', 'the private network: `vpcId` and `subnetId`, those of the CKafka instance'],
  ['tags', texts, 'none', "tags, for who pays; a function's own go over provider's; set when the function is created"],
  ['async', map({ retry: whole, messageLifetime: whole }), "the platform's",
    'asynchronous events: `retry` 0 to 2 after an error, `messageLifetime` 60 to 21600 seconds'],
  ['concurrency', map({ reserved: whole, provisioned: whole }), 'none',
    '`reserved` MB that are for the function alone and all that it gets; `provisioned` instances of the published version'],
  ['publish', flag, 'false', 'each change becomes a version, and `$DEFAULT` points to it; so `rollback` has where to go'],
];

/**
 * Every setting of serverless.yml that the plugin reads, as rows of [name, JSON schema, default, what it is]. The README's
 * tables and the framework's check are made of it; pkg/scf reads the same ones.
 */
const settings = Object.freeze({
  provider: [
    ['stage', text, limits.defaultStage, 'part of the names of functions; `--stage` goes before it'],
    ['region', text, limits.defaultRegion, 'where the functions are; `--region` goes before it'],
    ['namespace', text, limits.defaultNamespace, 'of the functions; it must exist'],
    ['cls', map({ logsetId: text, topicId: text }), "the platform's", 'where logs go: `logsetId`, `topicId`'],
    ['deploymentBucket', text, 'none', 'bucket NAME-APPID for packages above 7 MB, in the same region'],
    ...shared,
  ],
  function: [
    ['binary', text, 'bin/HANDLER', 'the program that was built for linux/amd64'],
    ['package', map({ artifact: text, patterns: list }), 'the program alone', '`patterns` of files to add, after those of the service; or `artifact`, a zip that is ready'],
    ...shared,
    ['layers', { type: 'array', items: map({ name: text, version: whole }) }, 'none', 'list of `name` and `version`'],
    ['deadLetter', map({ type: text, name: text }), 'none', 'where asynchronous events go that failed for good: `type`, `name`'],
  ],
  ckafka: [
    ['instanceId', text, '', 'of the CKafka instance'],
    ['topic', text, '', 'it must exist'],
    ['consumerGroupName', text, "the platform's", 'whose committed offsets are the progress'],
    ['offset', text, limits.defaultOffset, 'where a group without commits begins: latest, earliest, milliseconds since 1970'],
    ['maxMsgNum', whole, String(limits.defaultMaxMsgNum), 'most records of one event: 1 to 10000'],
    ['timeOut', whole, String(limits.defaultBatchTime), 'seconds that an event waits for more records: 1 to 60'],
    ['retry', whole, String(limits.defaultRetry), 'how often a batch that failed is sent again, once a minute'],
    enable,
    qualifier,
  ],
  timer: [
    ['name', text, '', '1 to 60 letters, digits, - and _, a letter first'],
    ['cron', text, '', 'seven fields, or five: second minute hour day month weekday year, in UTC+8'],
    ['argument', text, 'none', "the event's Message"],
    enable,
    qualifier,
  ],
  cos: [
    ['bucket', text, '', "the bucket's domain: NAME-APPID.cos.REGION.myqcloud.com"],
    ['events', text, '', 'like cos:ObjectCreated:*'],
    ['prefix', text, 'none', 'of the keys of objects that count'],
    ['suffix', text, 'none', 'of the keys of objects that count'],
    enable,
    qualifier,
  ],
  http: [
    ['name', text, 'url', 'of the function URL'],
    ['authType', { type: 'string', enum: ['CAM', 'NONE'] }, 'CAM', 'who may call it: CAM for signed requests, NONE for everyone'],
    ['intranet', flag, 'false', 'reachable from private networks'],
    ['extranet', flag, 'false', 'reachable from everywhere'],
    enable,
    qualifier,
  ],
});

/** The kinds of triggers, as serverless.yml and the platform call them. */
const kinds = Object.freeze(['ckafka', 'timer', 'cos', 'http']);

const schemaOf = (rows) => map(Object.fromEntries(rows.map(([name, schema]) => [name, structuredClone(schema)])));

/**
 * Tells the framework which settings there are, so that an unknown one is refused with its path.
 *
 * @param {object} handler serverless.configSchemaHandler
 */
function define(handler) {
  const handled = schemaOf(settings.function);
  handled.properties.handler = { type: 'string' };
  handled.properties.description = { type: 'string' };
  handler.defineProvider('tencent', { provider: schemaOf(settings.provider), function: handled });
  for (const kind of kinds) handler.defineFunctionEvent('tencent', kind, schemaOf(settings[kind]));
}

module.exports = { define, kinds, settings };
