'use strict';

const limits = require('./limits');

/**
 * A trigger as the planner compares it, wanted or actual.
 *
 * @typedef {object} Trigger
 * @property {string} type ckafka, timer, cos, http
 * @property {string} name
 * @property {string} qualifier
 * @property {boolean} enabled
 * @property {Record<string, string|number|boolean>} settings of its kind
 */

/**
 * A trigger of serverless.yml, every default filled in.
 *
 * @param {string} type
 * @param {object} event what stands under the kind
 * @returns {Trigger}
 */
function wanted(type, event) {
  const e = event || {};
  const or = (value, otherwise) => (value === undefined || value === null ? otherwise : value);
  const base = { type, qualifier: or(e.qualifier, limits.defaultQualifier), enabled: or(e.enable, true) };
  switch (type) {
    case 'ckafka':
      return {
        ...base,
        name: `${or(e.instanceId, '')}-${or(e.topic, '')}`,
        settings: {
          maxMsgNum: or(e.maxMsgNum, limits.defaultMaxMsgNum),
          timeOut: or(e.timeOut, limits.defaultBatchTime),
          retry: or(e.retry, limits.defaultRetry),
          offset: e.offset || limits.defaultOffset,
          ...(e.consumerGroupName ? { consumerGroupName: e.consumerGroupName } : {}),
        },
      };
    case 'timer':
      return { ...base, name: or(e.name, ''), settings: { cron: or(e.cron, ''), argument: or(e.argument, '') } };
    case 'cos':
      return {
        ...base,
        name: or(e.bucket, ''),
        settings: { event: or(e.events, ''), prefix: or(e.prefix, ''), suffix: or(e.suffix, '') },
      };
    default:
      return {
        ...base,
        name: or(e.name, 'url'),
        settings: { authType: or(e.authType, 'CAM'), intranet: or(e.intranet, false), extranet: or(e.extranet, false) },
      };
  }
}

/**
 * A trigger as ListTriggers tells of it.
 *
 * @param {object} info TriggerInfo of the API
 * @returns {Trigger & {desc: string}} desc is the TriggerDesc as it came, which deleting can take
 */
function actual(info) {
  const desc = parse(info.TriggerDesc);
  const base = {
    type: info.Type,
    name: info.TriggerName,
    qualifier: info.Qualifier || '$LATEST',
    enabled: info.Enable === 1 || info.Enable === true || info.Enable === 'OPEN' || info.Enable === '1',
    desc: info.TriggerDesc || '',
  };
  switch (info.Type) {
    case 'ckafka': {
      const settings = {};
      for (const key of ['maxMsgNum', 'timeOut', 'retry']) if (desc[key] !== undefined) settings[key] = Number(desc[key]);
      for (const key of ['offset', 'consumerGroupName']) if (desc[key] !== undefined) settings[key] = String(desc[key]);
      return { ...base, settings };
    }
    case 'timer':
      return { ...base, settings: { cron: desc.cron || (desc.text ?? ''), argument: info.CustomArgument || '' } };
    case 'cos': {
      const filter = desc.filter || {};
      return { ...base, settings: { event: desc.event || '', prefix: filter.Prefix || '', suffix: filter.Suffix || '' } };
    }
    case 'http': {
      const net = desc.NetConfig || {};
      return {
        ...base,
        settings: { authType: desc.AuthType || 'CAM', intranet: !!net.EnableIntranet, extranet: !!net.EnableExtranet },
      };
    }
    default:
      return { ...base, settings: desc };
  }
}

function parse(text) {
  try {
    const value = JSON.parse(text);
    return value && typeof value === 'object' ? value : { text: String(text) };
  } catch {
    return { text: String(text || '') };
  }
}

/**
 * What the API takes as a trigger's TriggerDesc.
 *
 * @param {Trigger} trigger
 * @returns {string}
 */
function desc(trigger) {
  const s = trigger.settings;
  switch (trigger.type) {
    case 'timer':
      return s.cron;
    case 'cos':
      return JSON.stringify({ event: s.event, filter: { Prefix: s.prefix, Suffix: s.suffix } });
    case 'http':
      return JSON.stringify({
        AuthType: s.authType,
        NetConfig: { EnableIntranet: s.intranet, EnableExtranet: s.extranet },
      });
    default:
      return JSON.stringify(s);
  }
}

// What UpdateTrigger can change (583/96828); the rest takes deleting and creating.
const changeable = {
  ckafka: ['maxMsgNum', 'timeOut', 'retry'],
  timer: ['cron', 'argument'],
  cos: [],
  http: ['authType', 'intranet', 'extranet'],
};

/**
 * How a trigger that is there differs from the wanted one. What the platform does not tell, and what the file leaves to
 * the platform, does not differ.
 *
 * @param {Trigger} want
 * @param {Trigger} have of the same type and name
 * @returns {{diff: {path: string, from: any, to: any}[], replaced: string[]}} replaced names what cannot be updated
 */
function compare(want, have) {
  const diff = [];
  const replaced = [];
  for (const [key, value] of Object.entries(want.settings)) {
    const other = have.settings[key];
    if (other === undefined || other === value) continue;
    diff.push({ path: key, from: other, to: value });
    if (!changeable[want.type].includes(key)) replaced.push(key);
  }
  if (want.qualifier !== have.qualifier) {
    diff.push({ path: 'qualifier', from: have.qualifier, to: want.qualifier });
    replaced.push('qualifier');
  }
  if (want.enabled !== have.enabled) diff.push({ path: 'enable', from: have.enabled, to: want.enabled });
  return { diff, replaced };
}

module.exports = { actual, compare, desc, wanted };
