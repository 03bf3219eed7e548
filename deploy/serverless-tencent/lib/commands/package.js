'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { artifact, entries, write } = require('../code');
const { each } = require('../each');
const upload = require('../upload');

const megabytes = (bytes) => `${(bytes / (1 << 20)).toFixed(1)} MB`;

/**
 * sls package: a zip for each function in .serverless or --package. It runs before the framework's own packaging, and
 * gives each function its package, so that the framework packs nothing.
 *
 * @param {import('../context').Context} context
 */
async function pack(context) {
  const wanted = context.wanted();
  const only = context.options.function;
  await context.progress('Packing functions', async (say) => {
    const chosen = wanted.functions.filter((f) => !only || f.key === only || f.name === only);
    await each(chosen, 4, async (f) => {
      say(`Packing ${f.key}`);
      f.code = await make(context, f);
      context.serverless.service.functions[f.key].package = { ...context.serverless.service.functions[f.key].package, artifact: f.code.file };
      context.utils.log.info(`${f.code.kept ? 'kept' : 'packed'} ${path.relative(context.root, f.code.file)}, ${megabytes(f.code.size)}`);
    });
  });
}

async function make(context, f) {
  const key = context.verifyKey();
  const given = (context.serverless.service.functions[f.key].package || {}).artifact || (key && path.join('dist', `${f.key}.zip`));
  if (given) return artifact(f.key, path.resolve(context.root, given), f.settings.handler, key);
  const files = entries(context.root, { key: f.key, handler: f.settings.handler, binary: f.binary, patterns: f.patterns });
  return write(context.packageFolder(), f.key, files);
}

/**
 * What serverless.yml wants, each function with its package: the one just made, or the one that --package names.
 *
 * @param {import('../context').Context} context
 * @param {(f: import('../desired').Wanted) => boolean} [needed]
 * @returns {ReturnType<import('../desired').desired>}
 */
function withPackages(context, needed = () => true) {
  const wanted = context.wanted();
  for (const f of wanted.functions.filter(needed)) {
    const { artifact: made } = context.serverless.service.functions[f.key].package || {};
    const file = made ? path.resolve(context.root, made) : path.join(context.packageFolder(), `${f.key}.zip`);
    const key = context.verifyKey();
    f.code = (!key && noted(file)) || artifact(f.key, file, f.settings.handler, key);
  }
  upload.check({ ...wanted, functions: wanted.functions.filter(needed) });
  return wanted;
}

// A package that sls package has made was checked then.
function noted(file) {
  try {
    const { code, size, sha256 } = JSON.parse(fs.readFileSync(`${file}.json`, 'utf8'));
    const same = crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex') === sha256;
    return same && /^[0-9a-f]{32}$/.test(code) ? { file, size, code } : null;
  } catch {
    return null;
  }
}

module.exports = { pack, withPackages };
