'use strict';

// Carries out what the test asks for, a line of JSON each, with the plugin's own code and no framework around it:
// {"plugin": folder, "service": what serverless.yml holds, "options": {...}} is a deployment. It answers with a line,
// {"error": text}, which is empty for a success.

const path = require('node:path');
const readline = require('node:readline');

async function deployment({ plugin, service, options, packages }) {
  const lib = (name) => require(path.join(plugin, 'lib', name));
  const { fromEnvironment } = lib('settings');
  const wanted = lib('desired').desired(service, {});
  for (const f of wanted.functions) f.code = lib('code').artifact(f.key, packages[f.key], f.settings.handler);
  const pace = { attempts: 2, first: 1, most: 2 }; // milliseconds: a cut that stays is to be seen soon
  const machine = lib('clock').machineClock();
  const clock = { ...machine, sleep: (ms) => machine.sleep(ms / 20) };
  const client = new (lib('client').Client)({ ...fromEnvironment(process.env), region: wanted.region, pace, clock });
  const code = lib('upload').packages({ wanted, bucket: null, say: () => {} });
  await lib('deploy').deploy({ client, wanted, options, code });
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const answer = { error: '' };
    try {
      await deployment(JSON.parse(line));
    } catch (error) {
      answer.error = error.message || String(error);
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
})();
