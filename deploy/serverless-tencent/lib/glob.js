'use strict';

const fs = require('node:fs');
const path = require('node:path');

const literal = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/**
 * The regular expression of a pattern of package.patterns: ** is any number of folders, * and ? stay inside of one,
 * {a,b} is one of several, [abc] one of some letters.
 *
 * @param {string} pattern without the ! before it
 * @returns {RegExp}
 */
function expression(pattern) {
  let source = '';
  let braces = 0;
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i];
    const end = c === '[' ? pattern.indexOf(']', i + 2) : -1;
    if (pattern.startsWith('**/', i)) {
      source += '(?:[^/]+/)*';
      i += 2;
    } else if (pattern.startsWith('**', i)) {
      source += '.*';
      i += 1;
    } else if (c === '*') source += '[^/]*';
    else if (c === '?') source += '[^/]';
    else if (end > 0) {
      const inside = pattern.slice(i + 1, end).replace(/[\\\]]/g, '\\$&');
      source += `[${inside.startsWith('!') ? `^/${inside.slice(1)}` : inside}]`;
      i = end;
    } else if (c === '{' && pattern.indexOf('}', i) > 0) {
      source += '(?:';
      braces++;
    } else if (c === '}' && braces > 0) {
      source += ')';
      braces--;
    } else if (c === ',' && braces > 0) source += '|';
    else source += literal(c);
  }
  return new RegExp(`^${source}$`);
}

/**
 * The files below a folder that patterns choose. A pattern that begins with ! takes away; the last one that fits a file
 * decides. Links are not followed, and .git, .serverless and node_modules only looked into where a pattern names them.
 *
 * @param {string} root folder
 * @param {string[]} patterns relative to it, with / between folders
 * @returns {string[]} paths relative to root, sorted, with / between folders
 */
function find(root, patterns) {
  const rules = patterns.map((text) => {
    const off = text.startsWith('!');
    const pattern = text.slice(off ? 1 : 0).replace(/^\.\//, '').replace(/\/$/, '/**');
    return { off, pattern, matches: expression(pattern) };
  });
  if (rules.every((rule) => rule.off)) return [];
  const named = (name) => rules.some((rule) => !rule.off && rule.pattern.split('/').includes(name));
  const skipped = ['.git', '.serverless', 'node_modules'].filter((name) => !named(name));
  const found = [];
  const walk = (folder) => {
    for (const entry of fs.readdirSync(path.join(root, folder), { withFileTypes: true })) {
      const name = folder ? `${folder}/${entry.name}` : entry.name;
      if (entry.isDirectory() && !skipped.includes(entry.name)) walk(name);
      const rule = entry.isFile() && rules.filter((r) => r.matches.test(name)).pop();
      if (rule && !rule.off) found.push(name);
    }
  };
  walk('');
  return found.sort();
}

module.exports = { expression, find };
