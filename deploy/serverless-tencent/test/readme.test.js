'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { commands } = require('../lib/options');
const { settings } = require('../lib/schema');

const readme = path.join(__dirname, '..', 'README.md');

const titles = { provider: 'provider', function: 'function', ckafka: 'ckafka', timer: 'timer', cos: 'cos', http: 'http' };
const row = (cells) => `| ${cells.map((c) => String(c).replaceAll('|', '\\|')).join(' | ')} |`;

/** The tables of settings, as the README has to have them. */
function tables() {
  const all = Object.entries(settings).map(([kind, rows]) => {
    const lines = rows.map(([name, , otherwise, text]) => row([`\`${name}\``, otherwise === '' ? 'needed' : otherwise, text]));
    return [row([titles[kind], 'default', 'what it is']), '| --- | --- | --- |', ...lines].join('\n');
  });
  return all.join('\n\n');
}

/** The options that the plugin adds, by command. */
function optionTable() {
  const rows = [];
  const add = (name, command) => {
    for (const [option, { usage }] of Object.entries(command.options || {})) rows.push([name, option, usage]);
    for (const [sub, inner] of Object.entries(command.commands || {})) add(`${name} ${sub}`, inner);
  };
  for (const [name, command] of Object.entries(commands)) add(name, command);
  const byOption = new Map();
  for (const [name, option, usage] of rows) byOption.set(option, { usage, names: [...(byOption.get(option)?.names || []), name] });
  const lines = [...byOption].map(([option, { usage, names }]) => row([`\`--${option}\``, names.join(', '), usage]));
  return [row(['option', 'of', 'what it does']), '| --- | --- | --- |', ...lines].join('\n');
}

test('the tables of the README are those of the code; UPDATE=1 writes them', () => {
  let text = fs.readFileSync(readme, 'utf8');
  for (const [name, want] of Object.entries({ settings: tables(), options: optionTable() })) {
    const place = new RegExp(`<!-- ${name} -->\n[^]*?<!-- end -->`);
    assert.match(text, place);
    const whole = `<!-- ${name} -->\n${want}\n<!-- end -->`;
    if (process.env.UPDATE === '1') text = text.replace(place, () => whole);
    else assert.ok(text.includes(whole), `the table of ${name} is another one: UPDATE=1 node --test test/readme.test.js`);
  }
  if (process.env.UPDATE === '1') fs.writeFileSync(readme, text);
});

test('every command of the README is one', () => {
  const known = ['package', 'deploy', 'deploy function', 'remove', 'info', 'invoke', 'invoke local', 'logs', 'metrics', 'rollback'];
  const used = [...fs.readFileSync(readme, 'utf8').matchAll(/^ {4}sls ([a-z]+(?: (?:function|local))?)/gm)].map(([, c]) => c);
  assert.deepEqual([...new Set(used)].sort(), [...known].sort());
});
