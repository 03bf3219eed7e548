'use strict';

// Runs `serverless print --format json` in one folder after the other, all in this process, since it takes the framework
// a second to start: print.js NODE_MODULES, then the path of a folder on each line of the input. It answers with a line for
// each: {"print": what was printed, "failed": whether it was refused, "text": all that was written}.

const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const readline = require('node:readline');

const framework = path.join(process.argv[2], 'serverless');
const script = path.join(framework, 'scripts', 'serverless.js');
// The script runs when it is loaded, and keeps to itself when it has ended.
const source = `${fs.readFileSync(script, 'utf8').replace(/^#!.*/, '')}\nmodule.exports = processSpanPromise;`;
const write = process.stdout.write.bind(process.stdout);

async function print(folder) {
  process.chdir(folder);
  process.argv = [process.argv[0], script, 'print', '--format', 'json'];
  process.exitCode = 0;
  require(path.join(framework, 'lib', 'cli', 'resolve-input')).clear();
  let [printed, told] = ['', ''];
  const collect = (add) => (chunk, ...more) => {
    add(String(chunk));
    const done = more.find((m) => typeof m === 'function');
    if (done) done();
    return true;
  };
  process.stdout.write = collect((text) => (printed += text));
  process.stderr.write = collect((text) => (told += text));
  const run = new Module(script, module);
  run.filename = script;
  run.paths = Module._nodeModulePaths(path.dirname(script));
  run._compile(source, script);
  await run.exports;
  return { print: printed, failed: process.exitCode !== 0, text: printed + told };
}

(async () => {
  for await (const folder of readline.createInterface({ input: process.stdin })) {
    write(`${JSON.stringify(await print(folder))}\n`);
  }
  process.exit(0);
})();
