'use strict';

// Checks files as sls deploy does before it calls anything: check.js NODE_MODULES PLUGIN, then the path of a file without
// variables on each line of the input. It answers with a line for each: {"faults": [text]}.

const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');

const [modules, plugin] = process.argv.slice(2);
const from = (name) => require(path.join(modules, 'serverless', 'lib', name));
const ConfigSchemaHandler = from('classes/config-schema-handler');
const yaml = require(path.join(modules, 'js-yaml'));
const { define } = require(path.join(plugin, 'lib', 'schema'));
const { desired } = require(path.join(plugin, 'lib', 'desired'));
const { validate } = require(path.join(plugin, 'lib', 'validate'));

async function check(file) {
  const config = yaml.load(fs.readFileSync(file, 'utf8'));
  const service = { ...config, configValidationMode: 'error', provider: config.provider };
  const handler = new ConfigSchemaHandler({ service, configurationInput: config, _logDeprecation() {} });
  define(handler);
  try {
    await handler.validateConfig(config);
  } catch (error) {
    return [error.message];
  }
  return validate(desired(service, {}), service);
}

(async () => {
  for await (const file of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify({ faults: await check(file) })}\n`);
  }
})();
