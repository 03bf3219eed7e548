'use strict';

const { duration } = require('../duration');
const { Fault } = require('../fault');
const { Gathered, summary } = require('../logs');

const day = 24 * 3600 * 1000;

/**
 * sls logs: a line for each invocation and what it has logged, the last ten minutes; --tail goes on until Ctrl-C.
 *
 * @param {import('../context').Context} context
 */
async function run(context) {
  const { options } = context;
  const { client, id } = target(context);
  const { now } = client.clock;
  const gathered = new Gathered(since(options.startTime ?? '10m', now()));
  const interval = options.interval === undefined ? 1000 : Number(options.interval);
  if (!(interval >= 100)) throw new Fault(`--interval: ${options.interval} is not allowed, want milliseconds, 100 or more`);
  do {
    const fresh = await gathered.look(client, id, now());
    for (const i of fresh) {
      if (options.filter && !i.log.includes(options.filter)) continue;
      context.print(`${i.start} ${i.failed ? 'FAILED' : 'ok'} ${i.duration} ms request ${i.id}`);
      if (i.log) context.print(i.log.trimEnd());
      if (i.failed && i.answer) context.print(i.answer);
    }
    if (options.tail) await client.clock.sleep(interval);
  } while (options.tail);
}

/**
 * sls metrics: invocations, errors and durations of each function, counted from the platform's log of invocations, the
 * last day or from --startTime to --endTime.
 *
 * @param {import('../context').Context} context
 */
async function metrics(context) {
  const { options } = context;
  const wanted = context.wanted();
  const client = context.client(wanted);
  const to = options.endTime ? since(options.endTime, client.clock.now()) : client.clock.now();
  const from = since(options.startTime ?? '24h', client.clock.now());
  if (to - from > day) throw new Fault('the platform tells of at most one day at a time: give --startTime and --endTime nearer to each other');
  const chosen = options.function ? [context.chosen(wanted)] : wanted.functions;
  const rows = [];
  for (const f of chosen) {
    const gathered = new Gathered(from);
    await gathered.look(client, { FunctionName: f.name, Namespace: wanted.namespace }, to);
    rows.push({ function: f.name, ...summary(gathered.all()) });
  }
  if (options.json) return context.print(JSON.stringify(rows, null, 2));
  for (const r of rows) {
    context.print(`${r.function}: ${r.invocations} invocations, ${r.errors} errors, ${Math.round(r.mean)} ms on average, ` +
      `95 % below ${Math.round(r.p95)} ms, longest ${Math.round(r.most)} ms, billed ${Math.round(r.billed)} ms`);
  }
}

function target(context) {
  const wanted = context.wanted();
  const f = context.chosen(wanted);
  const id = { FunctionName: f.name, Namespace: wanted.namespace };
  if (context.options.qualifier) id.Qualifier = context.options.qualifier;
  return { client: context.client(wanted), id };
}

// A time span before now, or a date.
function since(text, now) {
  const date = /^\d{4}-/.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(date)) return date;
  return now - duration(text, '--startTime');
}

module.exports = { metrics, run };
