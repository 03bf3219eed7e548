'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { verify, verifyFile, SignatureError } = require('../lib/minisign');
const rig = require('./rig');

const content = Buffer.from('a zip');
const name = 'dump.zip';

/** A key of this id, which signs the zip of dump unless told otherwise. */
function signer(id) {
  const made = rig.signer(id);
  return { ...made, sign: (file, comment = `file:${name}\thashed`, algorithm = 'ED') => made.sign(file, comment, algorithm) };
}

const mine = signer(1);
const refused = (what, message) =>
  assert.throws(
    () => verify({ content, name, signature: mine.sign(content), publicKey: mine.line, ...what }),
    (err) => err instanceof SignatureError && message.test(err.message),
  );

test('a signature of the file and name by the key is good, from a key file or its line, of both kinds', () => {
  for (const publicKey of [mine.line, mine.file, mine.file.replaceAll('\n', '\r\n')]) {
    assert.equal(verify({ content, name, signature: mine.sign(content), publicKey }), `file:${name}\thashed`);
  }
  verify({ content, name, signature: mine.sign(content, `timestamp:1\tfile:${name}`, 'Ed'), publicKey: mine.line });
});

test('every changed bit of the file is found', () => {
  for (let bit = 0; bit < content.length * 8; bit++) {
    const changed = Buffer.from(content);
    changed[bit >> 3] ^= 1 << (bit & 7);
    refused({ content: changed }, /changed after it was signed/);
  }
});

test('every changed character of the signed parts of a signature is found', () => {
  const good = mine.sign(content);
  for (let i = good.indexOf('\n') + 1; i < good.trimEnd().length; i++) {
    const other = good[i] === 'A' ? 'B' : 'A';
    refused({ signature: good.slice(0, i) + other + good.slice(i + 1) }, /./);
  }
});

test('the signature of another key is refused, also under the same id', () => {
  refused({ publicKey: signer(2).line }, /signed by key 0101010101010101, and not by 0202020202020202/);
  refused({ publicKey: signer(1).line }, /changed after it was signed/);
});

test('the zip of one function is none for another', () => {
  refused({ name: 'clean.zip' }, /clean\.zip: the signature is for dump\.zip/);
  refused({ signature: mine.sign(content, 'timestamp:1') }, /no named file/);
});

test('what is no key or no signature is refused', () => {
  for (const publicKey of ['', 'RW', mine.line.slice(1), `${mine.line}A`]) refused({ publicKey }, /public key/);
  for (const signature of ['', 'a\nb\nc\nd', mine.sign(content).slice(0, 150)]) refused({ signature }, /damaged/);
});

test('a file is checked by the signature beside it, and refused without one', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'minisign-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const [zip, key] = [path.join(folder, name), path.join(folder, 'etl.pub')];
  fs.writeFileSync(zip, content);
  fs.writeFileSync(key, mine.file);
  assert.throws(() => verifyFile(zip, key), /dump\.zip: there is no signature .*make package SIGN_KEY/);
  fs.writeFileSync(`${zip}.minisig`, mine.sign(content));
  verifyFile(zip, key);
  verifyFile(zip, mine.line);
  assert.throws(() => verifyFile(zip, mine.line, Buffer.from('another')), SignatureError);
  assert.throws(() => verifyFile(zip, path.join(folder, 'none.pub')), /ENOENT/);
});
