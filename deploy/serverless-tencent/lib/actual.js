'use strict';

const { each } = require('./each');
const { missing } = require('./fault');
const { detach } = require('./mark');
const trigger = require('./trigger');
const wait = require('./wait');

const pageSize = 100;

/**
 * A function as it is on the platform.
 *
 * @typedef {object} Actual
 * @property {string} name
 * @property {string} status Active, Creating, CreateFailed, ...
 * @property {string} reason why it has failed, or ''
 * @property {import('./desired').Settings} settings
 * @property {import('./mark').Mark|null} mark
 * @property {import('./trigger').Trigger[]} triggers
 * @property {{version: string, canary: {version: string, weight: number}|null}} route of $DEFAULT
 * @property {{name: string, description: string}[]} aliases all but $DEFAULT
 * @property {{version: string, mark: import('./mark').Mark|null, text: string, time: string,
 *   ready: boolean}[]} versions without $LATEST, by number; one that is not ready could not be published
 * @property {{retry: number, messageLifetime: number}|null} async null where the platform does not tell
 * @property {Record<string, string>} tags
 * @property {number|null} reserved MB; null where the platform does not tell
 * @property {{version: string, instances: number}[]|null} provisioned null where the platform does not tell
 */

// Of an action that this platform does not have.
const unsupported = (error) => /^(InvalidAction|UnsupportedOperation|ActionOffline|NoSuchVersion)/.test(error.apiCode || '');

/**
 * All members of a list that the API gives in pages.
 *
 * @param {import('./client').Client} client
 * @param {string} action
 * @param {object} parameters
 * @param {string} field of the answer
 * @returns {Promise<any[]>}
 */
async function list(client, action, parameters, field) {
  const all = [];
  const as = action === 'ListAliases' ? String : Number; // that one alone takes them as texts
  for (;;) {
    const page = await client.read(action, { ...parameters, Offset: as(all.length), Limit: as(pageSize) });
    const members = page[field] || [];
    all.push(...members);
    if (members.length === 0 || all.length >= (page.TotalCount ?? 0)) return all;
  }
}

/**
 * The functions that bear a service's mark, and those that have a name that it wants.
 *
 * @param {import('./client').Client} client
 * @param {{namespace: string, owner: string}} service
 * @param {string[]} wanted names
 * @returns {Promise<{name: string, status: string}[]>}
 */
async function names(client, service, wanted) {
  const listed = await list(client, 'ListFunctions', { Namespace: service.namespace }, 'Functions');
  const ours = (f) => wanted.includes(f.FunctionName) || detach(f.Description).mark?.owner === service.owner;
  return listed.filter(ours).map((f) => ({ name: f.FunctionName, status: f.Status || 'Active' }));
}

/**
 * What the platform has of a service: see names().
 *
 * @param {import('./client').Client} client
 * @param {{namespace: string, owner: string}} service
 * @param {string[]} wanted names
 * @param {{settle?: boolean}} [options] settle waits for functions that are just changing
 * @returns {Promise<Map<string, Actual>>} by name
 */
async function read(client, service, wanted, options = {}) {
  const ours = await names(client, service, wanted);
  const found = await each(ours, 4, async ({ name, status }) => {
    const id = { FunctionName: name, Namespace: service.namespace };
    if (options.settle && status !== 'Active') await wait.settled(client, id);
    return readFunction(client, service.namespace, name);
  });
  return new Map(found.filter(Boolean).map((f) => [f.name, f]));
}

/**
 * One function; null where it is not there.
 *
 * @param {import('./client').Client} client
 * @param {string} namespace
 * @param {string} name
 * @returns {Promise<Actual|null>}
 */
async function readFunction(client, namespace, name) {
  const id = { FunctionName: name, Namespace: namespace };
  try {
    const f = await client.read('GetFunction', { ...id, ShowCode: 'FALSE' });
    // why: one that could not be made has nothing else
    if (f.Status === 'CreateFailed' || f.Status === 'Creating') return functionOf(name, f, { triggers: [] });
    const [triggers, aliases, versions, asyncConfig, reserved, provisioned] = await Promise.all([
      list(client, 'ListTriggers', id, 'Triggers'),
      readAliases(client, id),
      list(client, 'ListVersionByFunction', id, 'Versions'),
      optional(client, 'GetFunctionEventInvokeConfig', id),
      optional(client, 'GetReservedConcurrencyConfig', id),
      optional(client, 'GetProvisionedConcurrencyConfig', id),
    ]);
    return functionOf(name, f, { triggers, aliases, versions, asyncConfig, reserved, provisioned });
  } catch (error) {
    if (missing(error)) return null;
    throw error;
  }
}

async function readAliases(client, id) {
  const aliases = await list(client, 'ListAliases', id, 'Aliases');
  if (aliases.some((a) => a.Name === '$DEFAULT')) return aliases;
  try {
    return [{ ...(await client.read('GetAlias', { ...id, Name: '$DEFAULT' })), Name: '$DEFAULT' }, ...aliases];
  } catch (error) {
    if (missing(error)) return aliases;
    throw error;
  }
}

async function optional(client, action, id) {
  try {
    return await client.read(action, id);
  } catch (error) {
    if (unsupported(error) || missing(error)) return null;
    throw error;
  }
}

function functionOf(name, f, more) {
  const { text, mark } = detach(f.Description);
  const reasons = (f.StatusReasons || []).map((r) => `${r.ErrorCode}: ${r.ErrorMessage}`).join('; ');
  const aliases = more.aliases || [];
  return {
    name,
    status: f.Status,
    reason: reasons || f.StatusDesc || '',
    settings: settingsOf(f, text),
    mark,
    triggers: more.triggers.map(trigger.actual),
    route: routeOf(aliases.find((a) => a.Name === '$DEFAULT')),
    aliases: aliases.filter((a) => a.Name !== '$DEFAULT').map((a) => ({ name: a.Name, description: a.Description || '' })),
    versions: (more.versions || []).filter((v) => v.Version !== '$LATEST').map(versionOf).sort((a, b) => Number(a.version) - Number(b.version)),
    async: asyncOf(more.asyncConfig),
    reserved: more.reserved ? Number(more.reserved.ReservedMem || 0) : null,
    tags: Object.fromEntries((f.Tags || []).map((t) => [t.Key, t.Value])),
    provisioned: more.provisioned
      ? (more.provisioned.Allocated || [])
          .map((a) => ({ version: a.Qualifier, instances: a.AllocatedProvisionedConcurrencyNum || 0 }))
          .filter((a) => a.instances > 0)
      : null,
  };
}

function settingsOf(f, description) {
  const variables = ((f.Environment && f.Environment.Variables) || []).filter((v) => v.Key !== '');
  const vpc = f.VpcConfig && f.VpcConfig.VpcId ? { vpcId: f.VpcConfig.VpcId, subnetId: f.VpcConfig.SubnetId } : null;
  const dead = f.DeadLetterConfig;
  return {
    handler: f.Handler || '',
    runtime: f.Runtime || '',
    description,
    memorySize: f.MemorySize,
    timeout: f.Timeout,
    role: f.Role || '',
    environment: Object.fromEntries(variables.map((v) => [v.Key, v.Value])),
    vpc,
    cls: f.ClsLogsetId || f.ClsTopicId ? { logsetId: f.ClsLogsetId || '', topicId: f.ClsTopicId || '' } : null,
    layers: (f.Layers || []).map((l) => ({ name: l.LayerName, version: l.LayerVersion })),
    deadLetter: dead && dead.Type && dead.Name ? { type: dead.Type, name: dead.Name } : null,
  };
}

function versionOf(v) {
  const { text, mark } = detach(v.Description);
  return { version: String(v.Version), mark, text, time: v.AddTime || '', ready: (v.Status || 'Active') === 'Active' };
}

function routeOf(alias) {
  if (!alias) return { version: '$LATEST', canary: null };
  const weights = ((alias.RoutingConfig || {}).AdditionalVersionWeights || []).filter((w) => Number(w.Weight) > 0);
  const canary = weights.length > 0 ? { version: String(weights[0].Version), weight: Number(weights[0].Weight) } : null;
  return { version: String(alias.FunctionVersion), canary };
}

function asyncOf(answer) {
  const config = answer && answer.AsyncTriggerConfig;
  if (!config) return null;
  const [first] = config.RetryConfig || [];
  return { retry: first ? Number(first.RetryNum) : 2, messageLifetime: Number(config.MsgTTL) };
}

module.exports = { list, names, read, readFunction };
