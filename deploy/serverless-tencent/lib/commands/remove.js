'use strict';

const { deploy } = require('../deploy');
const { read } = require('../actual');
const { plan } = require('../plan');
const render = require('../render');
const { folder } = require('../upload');

/**
 * sls remove: deletes the functions that the service and stage have made, those that the file no longer names among them,
 * and what is left of packages in the bucket. Functions that others have made are not touched, whatever their names.
 *
 * @param {import('../context').Context} context
 */
async function run(context) {
  const wanted = { ...context.wanted({ checked: false }), functions: [] };
  const client = context.client(wanted);
  if (context.options['dry-run']) {
    const actual = await context.progress('Looking at the platform', () => read(client, wanted, []));
    return context.print(render.text(plan(wanted, actual)));
  }
  await context.progress('Removing', async (say) => {
    const options = { lockTimeout: context.lockTimeout() };
    const { plan: done } = await deploy({ client, wanted, options, code: async () => ({}), show: (p) => context.notice(render.text(p)), say });
    const bucket = context.bucket(wanted);
    const keys = bucket ? await bucket.list(folder(wanted)) : [];
    for (const key of keys) await bucket.remove(key);
    const deleted = done.steps.filter((s) => s.kind === 'delete').length;
    context.notice(`Removed ${deleted} functions of ${wanted.service}, stage ${wanted.stage}`);
  });
}

module.exports = { run };
