'use strict';

const { execFile } = require('node:child_process');
const { read } = require('../actual');
const { canary } = require('../canary');
const { decide, deploy } = require('../deploy');
const { duration, number } = require('../duration');
const { Fault } = require('../fault');
const { tolerance } = require('../judge');
const { plan } = require('../plan');
const render = require('../render');
const { packages } = require('../upload');
const { withPackages } = require('./package');

/**
 * sls deploy, and sls deploy function.
 *
 * @param {import('../context').Context} context
 * @param {{one?: boolean}} [which] one looks at the function that --function names alone
 */
async function run(context, { one = false } = {}) {
  const { options } = context;
  const only = one ? context.chosen(context.wanted()).name : undefined;
  const watched = options.canary === undefined ? null : canaryOptions(context);
  const wanted = withPackages(context, (f) => !only || f.name === only);
  const client = context.client(wanted);
  const planned = {
    only,
    replaceTriggers: !!options['replace-triggers'],
    adopt: !!options.adopt,
    force: !!options.force,
    lockTimeout: context.lockTimeout(),
  };
  if (options['dry-run']) return dryRun(context, client, wanted, planned);
  if (options.json) throw new Fault('--json goes with --dry-run');
  const begun = Date.now();
  const { plan: done, result } = await context.progress('Comparing with the platform', (say) =>
    deploy({
      client,
      wanted,
      options: planned,
      code: packages({ wanted, bucket: context.bucket(wanted), say }),
      show: (p) => context.notice(render.text(p)),
      say,
      carryOut: watched && ((apply, p) => interruptible((stopped) => canary(apply, p, watched, { notice: (t) => context.notice(t), stopped }))),
    }),
  );
  if (done.steps.length > 0) {
    const end = result ? ', after a canary' : '';
    context.notice(`Deployed ${wanted.service} to stage ${wanted.stage} in ${((Date.now() - begun) / 1000).toFixed(1)} s${end}`);
  }
}

async function dryRun(context, client, wanted, planned) {
  const names = wanted.functions.map((f) => f.name);
  const actual = await context.progress('Comparing with the platform', () => read(client, wanted, names));
  const found = plan(wanted, actual, planned);
  context.print(context.options.json ? JSON.stringify(render.json(found), null, 2) : render.text(found));
  if (found.refusals.length > 0) decide(wanted, actual, planned);
}

function canaryOptions({ options }) {
  const time = duration(options['canary-time'] ?? '5m', '--canary-time');
  const by = options['canary-by'] ?? 'weight';
  if (by !== 'weight' && by !== 'time') throw new Fault(`--canary-by: ${by} is not known, want weight or time`);
  const of = (name, otherwise, most) => (options[name] === undefined ? otherwise : number(options[name], `--${name}`, 0, most));
  return {
    share: number(options.canary, '--canary', 1, 99) / 100,
    time,
    interval: Math.min(5000, Math.max(time / 60, 250)),
    by,
    tolerance: {
      least: of('canary-min', tolerance.least, 1e6),
      errors: of('canary-errors', tolerance.errors * 100, 100) / 100,
      slower: of('canary-slower', tolerance.slower, 1000),
    },
    lag: options['canary-lag'] ? () => lagOf(options['canary-lag']) : undefined,
    lagMost: options['canary-lag-most'] === undefined ? null : number(options['canary-lag-most'], '--canary-lag-most', 0, 1e15),
  };
}

// Runs without a shell: the words between spaces are the program and its arguments; its last line is the number.
function lagOf(command) {
  const [program, ...args] = command.trim().split(/\s+/);
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: 30000 }, (error, stdout) => {
      const lag = Number(String(stdout).trim().split('\n').pop());
      if (error) reject(new Fault(`--canary-lag: ${program}: ${error.message.split('\n')[0]}`));
      else if (!Number.isFinite(lag)) reject(new Fault(`--canary-lag: ${program} prints no number in its last line`));
      else resolve(lag);
    });
  });
}

async function interruptible(act) {
  let stop = false;
  const onSignal = () => {
    stop = true;
  };
  const signals = ['SIGINT', 'SIGTERM'];
  const others = signals.map((signal) => process.listeners(signal));
  for (const signal of signals) process.removeAllListeners(signal).on(signal, onSignal);
  try {
    return await act(() => stop);
  } finally {
    signals.forEach((signal, i) => {
      process.removeListener(signal, onSignal);
      for (const listener of others[i]) process.on(signal, listener);
    });
  }
}

module.exports = { run };
