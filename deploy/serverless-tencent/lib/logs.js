'use strict';

const pageSize = 100;
const most = 10000; // Offset+Limit of GetFunctionLogs

/**
 * A time as GetFunctionLogs takes and gives it: UTC+8, by the second.
 *
 * @param {number} ms since 1970
 * @returns {string} like 2026-01-31 08:00:00
 */
const time = (ms) => new Date(ms + 8 * 3600 * 1000).toISOString().slice(0, 19).replace('T', ' ');

/**
 * One invocation that has ended.
 *
 * @typedef {object} Invocation
 * @property {string} id of the request
 * @property {string} start
 * @property {boolean} failed
 * @property {number} duration milliseconds
 * @property {number} billed milliseconds
 * @property {number} memory bytes
 * @property {string} log
 * @property {string} answer
 */

/**
 * The invocations of a function that have ended, the oldest first.
 *
 * @param {import('./client').Client} client
 * @param {{FunctionName: string, Namespace: string, Qualifier?: string}} id
 * @param {{from: number, to: number}} span milliseconds since 1970, at most a day
 * @returns {Promise<Invocation[]>} at most 10,000
 */
async function invocations(client, id, { from, to }) {
  const all = [];
  for (let offset = 0; offset + pageSize <= most; offset += pageSize) {
    const page = await client.read('GetFunctionLogs', {
      ...id, StartTime: time(from), EndTime: time(to), Order: 'asc', OrderBy: 'start_time', Offset: offset, Limit: pageSize,
    });
    const entries = page.Data || [];
    // 2 is one that is running
    all.push(...entries.filter((e) => e.RetCode !== 2).map(invocation));
    if (entries.length < pageSize) break;
  }
  return all;
}

function invocation(e) {
  return {
    id: e.RequestId,
    start: e.StartTime || '',
    failed: e.RetCode !== 0,
    duration: Number(e.Duration) || 0,
    billed: Number(e.BillDuration) || 0,
    memory: Number(e.MemUsage) || 0,
    log: e.Log || '',
    answer: e.RetMsg || '',
  };
}

/**
 * Sums up invocations.
 *
 * @param {Invocation[]} list
 * @returns {{invocations: number, errors: number, mean: number, p95: number, most: number, billed: number}} milliseconds
 */
function summary(list) {
  const durations = list.map((i) => i.duration).sort((a, b) => a - b);
  const at = (share) => durations[Math.min(durations.length - 1, Math.ceil(share * durations.length) - 1)] ?? 0;
  return {
    invocations: list.length,
    errors: list.filter((i) => i.failed).length,
    mean: list.length ? durations.reduce((sum, d) => sum + d, 0) / list.length : 0,
    p95: list.length ? at(0.95) : 0,
    most: durations[durations.length - 1] ?? 0,
    billed: list.reduce((sum, i) => sum + i.billed, 0),
  };
}

/**
 * Gathers invocations look by look, each one once.
 */
class Gathered {
  /** @param {number} from milliseconds since 1970 */
  constructor(from) {
    this.from = from;
    this.seen = new Map();
  }

  /**
   * @param {import('./client').Client} client
   * @param {{FunctionName: string, Namespace: string, Qualifier?: string}} id
   * @param {number} now
   * @returns {Promise<Invocation[]>} those that were not seen before
   */
  async look(client, id, now) {
    const fresh = (await invocations(client, id, { from: this.from, to: now + 1000 })).filter((i) => !this.seen.has(i.id));
    for (const i of fresh) this.seen.set(i.id, i);
    return fresh;
  }

  /** @returns {Invocation[]} */
  all() {
    return [...this.seen.values()];
  }
}

module.exports = { Gathered, invocations, summary, time };
