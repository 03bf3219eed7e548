'use strict';

const { names, readFunction } = require('../actual');
const { Apply } = require('../apply');
const { Fault } = require('../fault');
const { Lock } = require('../lock');
const { percent } = require('../plan');

/**
 * sls rollback: points $DEFAULT of a function to a version that was published, or lists them.
 *
 * @param {import('../context').Context} context
 */
async function run(context) {
  const wanted = context.wanted();
  const f = context.chosen(wanted);
  const client = context.client(wanted);
  const actual = await readFunction(client, wanted.namespace, f.name);
  if (!actual) throw new Fault(`${f.name} is not deployed`);
  const { to } = context.options;
  if (to === undefined) return list(context, actual);
  if (actual.mark?.owner !== wanted.owner) throw new Fault(`${f.name} was made by something else than this service and stage`);
  if (!actual.versions.some((v) => v.ready && v.version === String(to)) && to !== '$LATEST') {
    const versions = actual.versions.map((v) => v.version);
    throw new Fault(`${f.name} has no version ${to}: it has ${versions.join(', ') || 'none: publish: true makes them'}`);
  }
  const lock = new Lock(client, wanted.namespace, { timeout: context.lockTimeout() });
  await context.progress(`Pointing $DEFAULT of ${f.key} to ${to}`, async (say) => {
    await lock.acquire(async () => (await names(client, wanted, [f.name])).map((n) => n.name), say);
    try {
      await new Apply({ client, service: wanted, code: async () => ({}) }).route(f.name, String(to));
    } finally {
      await lock.release();
    }
  });
  context.notice(`${f.name}: $DEFAULT was ${described(actual.route)} and is ${to}. The next deploy points it to what serverless.yml says: mend that first`);
}

const described = (route) => (route.canary ? `${route.version}, ${route.canary.version} for ${percent(route.canary.weight)}` : route.version);

function list(context, actual) {
  if (actual.versions.length === 0) return context.print(`${actual.name} has no versions: publish: true, or a canary, makes them`);
  const versions = [...actual.versions].sort((a, b) => Number(b.version) - Number(a.version));
  for (const v of versions) {
    const live = actual.route.version === v.version ? ', $DEFAULT points to it' : '';
    context.print(`${v.version}${v.time ? `  ${v.time}` : ''}  code ${v.mark?.code?.slice(0, 12) || 'not known'}${live}`);
  }
  return context.print(`$DEFAULT is ${described(actual.route)}; --to VERSION changes that`);
}

module.exports = { run };
