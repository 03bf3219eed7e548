'use strict';

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { Fault } = require('../fault');
const limits = require('../limits');

const types = { RequestResponse: 'RequestResponse', Event: 'Event', sync: 'RequestResponse', async: 'Event' };

/**
 * sls invoke: one invocation in the cloud, synchronous or not; its answer is printed.
 *
 * @param {import('../context').Context} context
 */
async function run(context) {
  const { options } = context;
  const wanted = context.wanted();
  const f = context.chosen(wanted);
  const type = types[options.type || 'RequestResponse'];
  if (!type) throw new Fault(`--type: ${options.type} is not known, want RequestResponse (sync) or Event (async)`);
  const event = readEvent(context);
  const most = type === 'Event' ? limits.maxAsyncPayload : limits.maxSyncPayload;
  if (Buffer.byteLength(event) > most) throw new Fault(`the event has ${Buffer.byteLength(event)} bytes, the platform takes ${most}`);
  const { Result: result } = await context.progress(`Invoking ${f.key}`, () =>
    context.client(wanted).write('Invoke', {
      FunctionName: f.name,
      Namespace: wanted.namespace,
      InvocationType: type,
      Qualifier: options.qualifier || limits.defaultQualifier,
      ClientContext: event,
      LogType: options.log ? 'Tail' : 'None',
    }, unrepeated(f)),
  );
  if (type === 'Event') return context.print(`sent, request ${result.FunctionRequestId}`);
  if (options.log && result.Log) context.notice(result.Log.trimEnd());
  context.notice(`${f.name}: ${result.Duration} ms, ${(result.MemUsage / (1 << 20)).toFixed(0)} MB, request ${result.FunctionRequestId}`);
  // why both: the platform no longer keeps InvokeResult up
  if (Number(result.InvokeResult ?? 0) !== 0 || result.ErrMsg) throw new Fault(`${f.name} has failed: ${result.ErrMsg || result.RetMsg}`, 'INVOCATION_FAILED');
  return context.print(result.RetMsg);
}

// why: nobody knows whether the function has run, and running it twice is not what the user has asked for
const unrepeated = (f) => async () => {
  throw new Fault(`the platform did not answer: nobody knows whether ${f.name} has run; see sls logs`);
};

function readEvent({ options, root }) {
  let text = options.data ?? '{}';
  if (options.path) {
    try {
      text = fs.readFileSync(path.resolve(root, options.path), 'utf8');
    } catch (error) {
      throw new Fault(`--path: ${error.message}`);
    }
  }
  try {
    JSON.parse(text);
    return text;
  } catch {
    if (options.raw && !options.path) return JSON.stringify(text);
    throw new Fault(`the event is no JSON: ${text.slice(0, 60)}`);
  }
}

/**
 * sls invoke local: `etl invoke`, which builds the function and starts it as the platform does. ETL_BIN names the program,
 * else bin/etl of the service, else etl on the PATH.
 *
 * @param {import('../context').Context} context
 */
async function local(context) {
  const f = context.chosen(context.wanted());
  const event = readEvent(context); // why here: a child that gets no event would wait for it
  const own = path.join(context.root, 'bin', 'etl');
  const program = context.env.ETL_BIN || (fs.existsSync(own) ? own : 'etl');
  const file = context.serverless.configurationFilename || 'serverless.yml';
  const args = ['invoke', f.key, '--event', '-', '--config', path.join(context.root, file)];
  if (context.options.stage) args.push('--stage', context.options.stage);
  const answer = await new Promise((resolve, reject) => {
    const child = execFile(program, args, { cwd: context.root, env: context.env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      if (stderr) context.notice(stderr.trimEnd());
      if (error && error.code === 'ENOENT') reject(new Fault(`${program} is not there: run make build, or set ETL_BIN`));
      else if (error) reject(new Fault(`etl invoke has failed${stdout ? `: ${stdout.trim()}` : ''}`, 'INVOCATION_FAILED'));
      else resolve(stdout);
    });
    child.stdin.on('error', () => {}); // why ignored: the callback above tells why it has ended
    child.stdin.end(event);
  });
  context.print(answer.trimEnd());
}

module.exports = { local, run };
