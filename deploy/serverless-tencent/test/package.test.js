'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { artifact, digest, entries, write } = require('../lib/code');
const { expression, find } = require('../lib/glob');
const zip = require('../lib/zip');
const { folder, signer } = require('./rig');

/** The head of a program for linux/amd64. */
const elf = (text) => Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]), Buffer.alloc(11), Buffer.from([62, 0]), Buffer.from(text)]);

function project(t) {
  const root = folder(t);
  fs.mkdirSync(path.join(root, 'bin'));
  fs.mkdirSync(path.join(root, 'data', 'deep'), { recursive: true });
  fs.writeFileSync(path.join(root, 'bin', 'dump'), elf('program'), { mode: 0o700 });
  fs.writeFileSync(path.join(root, 'data', 'a.txt'), 'a');
  fs.writeFileSync(path.join(root, 'data', 'deep', 'b.sh'), 'b', { mode: 0o755 });
  return root;
}

const wanted = { key: 'dump', handler: 'main', binary: 'bin/dump', patterns: ['data/**', '!data/*.txt'] };

test('a package holds the program as the handler, executable, and the files of the patterns', async (t) => {
  const root = project(t);
  const made = await write(path.join(root, 'out'), 'dump', entries(root, wanted));
  const files = zip.unpack(fs.readFileSync(made.file), 1e6);
  assert.deepEqual(files.map((f) => [f.name, f.mode.toString(8), f.data.toString().slice(-7)]), [['data/deep/b.sh', '755', 'b'], ['main', '755', 'program']]);
});

test('the same code gives the same bytes, whenever and in whatever order it is packed', async (t) => {
  const root = project(t);
  const files = entries(root, wanted);
  const one = await write(path.join(root, 'one'), 'dump', files);
  fs.utimesSync(path.join(root, 'bin', 'dump'), 1, 1);
  const two = await write(path.join(root, 'two'), 'dump', entries(root, wanted).reverse());
  assert.deepEqual(fs.readFileSync(one.file), fs.readFileSync(two.file));
  assert.equal(one.code, two.code);
  assert.equal((await write(path.join(root, 'one'), 'dump', files)).kept, true);
  fs.writeFileSync(one.file, 'damaged');
  assert.equal((await write(path.join(root, 'one'), 'dump', files)).kept, false);
});

test('the digest is that of the content, and not of the zip around it', async (t) => {
  const root = project(t);
  const made = await write(path.join(root, 'out'), 'dump', entries(root, wanted));
  assert.equal(artifact('dump', made.file, 'main').code, made.code);
  assert.notEqual(digest([{ name: 'main', data: Buffer.from('a'), mode: 0o755 }]), digest([{ name: 'main', data: Buffer.from('a'), mode: 0o644 }]));
});

test('what cannot run on the platform is refused, and says what to do', (t) => {
  const root = project(t);
  assert.throws(() => entries(root, { ...wanted, binary: 'bin/none' }), /functions.dump.binary: bin\/none is not there: run make build/);
  fs.writeFileSync(path.join(root, 'bin', 'dump'), '#!/bin/sh\necho this is no program for that platform');
  assert.throws(() => entries(root, wanted), /is no program for linux\/amd64/);
  const bad = path.join(root, 'bad.zip');
  const refused = (data, want) => {
    fs.writeFileSync(bad, data);
    assert.throws(() => artifact('dump', bad, 'main'), want);
  };
  refused('no zip at all', /is no zip/);
  refused(zip.pack([{ name: 'other', data: Buffer.from('x'), mode: 0o755 }]), /holds no file main/);
  refused(zip.pack([{ name: 'main', data: Buffer.from('x'), mode: 0o644 }]), /main in the package .* is not executable/);
  const damaged = zip.pack([{ name: 'main', data: Buffer.from('some content'), mode: 0o755 }]);
  damaged[36] ^= 0xff;
  refused(damaged, /is a damaged zip/);
});

test('with a key, a zip is deployed only as it was signed, under its own name', (t) => {
  const root = folder(t);
  const file = path.join(root, 'dump.zip');
  const other = path.join(root, 'clean.zip');
  const data = zip.pack([{ name: 'main', data: Buffer.from('program'), mode: 0o755 }]);
  const mine = signer(1);
  fs.writeFileSync(file, data);
  assert.throws(() => artifact('dump', file, 'main', mine.line), { code: 'NOT_SIGNED', message: /functions.dump: .*there is no signature/ });
  fs.writeFileSync(`${file}.minisig`, mine.sign(data, 'file:dump.zip'));
  assert.equal(artifact('dump', file, 'main', mine.line).size, data.length);
  assert.throws(() => artifact('dump', file, 'main', signer(2).line), { code: 'NOT_SIGNED' });
  fs.writeFileSync(file, zip.pack([{ name: 'main', data: Buffer.from('another'), mode: 0o755 }]));
  assert.throws(() => artifact('dump', file, 'main', mine.line), /changed after it was signed/);
  fs.writeFileSync(other, data);
  fs.copyFileSync(`${file}.minisig`, `${other}.minisig`);
  assert.throws(() => artifact('clean', other, 'main', mine.line), /the signature is for dump.zip/);
  assert.throws(() => artifact('dump', file, 'main', path.join(root, 'no.pub')), { code: 'NOT_SIGNED' });
});

test('a zip that unpacks to more than is allowed is refused', () => {
  const bomb = zip.pack([{ name: 'main', data: Buffer.alloc(1 << 20), mode: 0o755 }]);
  assert.throws(() => zip.unpack(bomb, 1000), /too large unpacked/);
});

test('any bytes are no zip, or one, and never a crash of another kind', () => {
  const good = zip.pack([{ name: 'main', data: Buffer.from('some content'), mode: 0o755 }, { name: 'b', data: Buffer.from('b'), mode: 0o644 }]);
  for (let i = 0; i < good.length; i++) {
    for (const value of [0, 0xff, good[i] ^ 1]) {
      const changed = Buffer.from(good);
      changed[i] = value;
      try {
        zip.unpack(changed, 1e6);
      } catch (error) {
        assert.match(error.message, /zip|too large|unknown method|out of range|bounds/, `byte ${i} is ${value}`);
      }
    }
  }
});

test('patterns', (t) => {
  for (const [pattern, name, fits] of [
    ['data/**', 'data/a/b', true], ['data/*', 'data/a/b', false], ['**/b', 'a/b', true], ['**/b', 'b', true], ['*.{txt,md}', 'a.md', true],
    ['a?c', 'abc', true], ['a?c', 'a/c', false], ['a[bc]d', 'acd', true], ['a[!b]d', 'abd', false], ['a.b', 'axb', false], ['a(b', 'a(b', true],
  ]) {
    assert.equal(expression(pattern).test(name), fits, `${pattern} ${name}`);
  }
  const root = project(t);
  assert.deepEqual(find(root, ['!data/**']), []);
  assert.deepEqual(find(root, ['data/']), ['data/a.txt', 'data/deep/b.sh']);
});
