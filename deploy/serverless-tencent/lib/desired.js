'use strict';

const crypto = require('node:crypto');
const limits = require('./limits');
const { owner } = require('./mark');
const trigger = require('./trigger');

/**
 * A function as serverless.yml wants it, or as the platform has it.
 *
 * @typedef {object} Settings
 * @property {string} handler
 * @property {string} runtime
 * @property {string} description the user's part
 * @property {number} memorySize MB
 * @property {number} timeout seconds
 * @property {string} role '' for none
 * @property {Record<string, string>} environment
 * @property {{vpcId: string, subnetId: string}|null} vpc
 * @property {{logsetId: string, topicId: string}|null} cls null leaves it to the platform
 * @property {{name: string, version: number}[]} layers
 * @property {{type: string, name: string}|null} deadLetter
 */

/**
 * @typedef {object} Wanted
 * @property {string} key under functions
 * @property {string} name on the platform
 * @property {string} binary
 * @property {string[]} patterns of files that are packed with it
 * @property {Settings} settings
 * @property {Record<string, string>} tags
 * @property {{retry: number, messageLifetime: number}|null} async null leaves it to the platform
 * @property {number} reserved MB, 0 for none
 * @property {number} provisioned instances, 0 for none
 * @property {boolean} publish
 * @property {import('./trigger').Trigger[]} triggers
 * @property {{file: string, size: number, code: string}} [code] the package, once it is made
 */

/**
 * What serverless.yml wants: the service with all that its functions take over from provider.
 *
 * @param {object} service serverless.service, resolved
 * @param {{stage?: string, region?: string}} options of the command line
 * @returns {{service: string, stage: string, region: string, namespace: string, owner: string, bucket: string,
 *   functions: Wanted[]}}
 */
function desired(service, options) {
  const provider = service.provider;
  const stage = options.stage || provider.stage || limits.defaultStage;
  return {
    service: service.service,
    stage,
    region: options.region || provider.region || limits.defaultRegion,
    namespace: provider.namespace || limits.defaultNamespace,
    owner: owner(service.service, stage),
    bucket: typeof provider.deploymentBucket === 'string' ? provider.deploymentBucket : '',
    functions: Object.entries(service.functions || {}).map(([key, f]) =>
      wantedFunction(key, f || {}, provider, service.package || {}, `${service.service}-${stage}-${key}`),
    ),
  };
}

function wantedFunction(key, f, provider, pack, name) {
  const own = f.package || {};
  const concurrency = f.concurrency || provider.concurrency || {};
  return {
    key,
    name: f.name || name,
    binary: f.binary || `bin/${f.handler}`,
    patterns: [...(pack.include || []), ...(pack.patterns || []), ...(own.include || []), ...(own.patterns || [])],
    settings: settingsOf(f, provider),
    tags: texts(provider.tags, f.tags),
    async: asyncOf(f.async || provider.async),
    reserved: concurrency.reserved || 0,
    provisioned: concurrency.provisioned || 0,
    publish: f.publish ?? provider.publish ?? false,
    triggers: (f.events || []).map((event) => trigger.wanted(...Object.entries(event)[0])),
  };
}

function settingsOf(f, provider) {
  const vpc = f.vpcConfig || provider.vpcConfig;
  const [vpcId, subnetId] = [(vpc && vpc.vpcId) || '', (vpc && vpc.subnetId) || ''];
  const cls = provider.cls;
  return {
    handler: f.handler || '',
    runtime: f.runtime || provider.runtime || limits.defaultRuntime,
    description: (f.description || '').trimEnd(),
    memorySize: f.memorySize ?? provider.memorySize ?? limits.defaultMemory,
    timeout: f.timeout ?? provider.timeout ?? limits.defaultTimeout,
    role: f.role || provider.role || '',
    environment: texts(provider.environment, f.environment),
    vpc: vpcId || subnetId ? { vpcId, subnetId } : null,
    cls: cls ? { logsetId: cls.logsetId || '', topicId: cls.topicId || '' } : null,
    layers: (f.layers || []).map((layer) => ({ name: layer.name || '', version: layer.version || 0 })),
    deadLetter: f.deadLetter ? { type: f.deadLetter.type || '', name: f.deadLetter.name || '' } : null,
  };
}

function asyncOf(config) {
  if (!config) return null;
  return { retry: config.retry ?? limits.maxAsyncRetry, messageLifetime: config.messageLifetime ?? limits.maxMessageLifetime };
}

// why: null in a map is no value, which the check of the file tells of
function texts(...maps) {
  const all = {};
  for (const map of maps) {
    for (const [key, value] of Object.entries(map || {})) if (value !== null && value !== undefined) all[key] = String(value);
  }
  return all;
}

/**
 * A digest of settings, by which a published version is recognised.
 *
 * @param {Settings} settings
 * @returns {string} 32 hexadecimal digits
 */
function settingsDigest(settings) {
  const environment = Object.entries(settings.environment).sort(([a], [b]) => (a < b ? -1 : 1));
  const { handler, runtime, description, memorySize, timeout, role, vpc, cls, layers, deadLetter } = settings;
  const all = [handler, runtime, description, memorySize, timeout, role, environment, vpc, cls, layers, deadLetter];
  return crypto.createHash('sha256').update(JSON.stringify(all)).digest('hex').slice(0, 32);
}

module.exports = { desired, settingsDigest };
