'use strict';
// Signatures of minisign (https://jedisct1.github.io/minisign/): Ed25519 over the BLAKE2b-512 hash of a file, and over
// that signature with the trusted comment, which names the file. Node's own crypto is enough.
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

// The algorithms of a signature: of the file's hash, as all that minisign makes since 2021, or of the file itself.
const HASHED = 'ED';
const LEGACY = 'Ed';

// What comes before the 32 bytes of an Ed25519 key in its DER form (RFC 8410).
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

/** The signature is missing, damaged, or not of this file and key: what is signed with it must not be used. */
class SignatureError extends Error {
  constructor(message) {
    super(message);
    this.name = 'SignatureError';
  }
}

/** Decodes a line of base64 with a known number of bytes behind it. */
function decode(line, bytes, what) {
  const text = (line || '').trim();
  const decoded = Buffer.from(text, 'base64');
  // Node skips what is no base64, so the text must be what the bytes encode to.
  if (decoded.length !== bytes || decoded.toString('base64') !== text) throw new SignatureError(`${what} is damaged`);
  return decoded;
}

/** The id of a key as minisign prints it: the bytes as one number, little end first. */
function keyName(id) {
  return Buffer.from(id).reverse().toString('hex').toUpperCase();
}

/**
 * Reads a public key: the text of its file, or its one line of base64, which begins with RW.
 * @param {string} text
 * @returns {{id: Buffer, key: crypto.KeyObject}}
 * @throws {SignatureError} where it is no public key of minisign
 */
function parsePublicKey(text) {
  const lines = String(text).trim().split(/\r?\n/);
  const raw = decode(lines.length > 1 ? lines[1] : lines[0], 42, 'the public key');
  if (raw.toString('latin1', 0, 2) !== LEGACY) throw new SignatureError('the public key is none of minisign');
  const key = crypto.createPublicKey({ key: Buffer.concat([SPKI, raw.subarray(10)]), format: 'der', type: 'spki' });
  return { id: raw.subarray(2, 10), key };
}

/** Reads the text of a signature into its parts. */
function parseSignature(text) {
  const lines = String(text).split(/\r?\n/);
  const trusted = 'trusted comment: ';
  if (lines.length < 4 || !lines[0].startsWith('untrusted comment: ') || !lines[2].startsWith(trusted)) {
    throw new SignatureError('the signature is damaged');
  }
  const raw = decode(lines[1], 74, 'the signature');
  return {
    algorithm: raw.toString('latin1', 0, 2),
    id: raw.subarray(2, 10),
    signature: raw.subarray(10),
    comment: lines[2].slice(trusted.length),
    global: decode(lines[3], 64, 'the signature of the comment'),
  };
}

/**
 * Checks that the holder of a key has signed a file under this name.
 * @param {{content: Buffer, name: string, signature: string, publicKey: string}} what name is that of the file, without
 *   its folder; publicKey as parsePublicKey takes it
 * @returns {string} the trusted comment
 * @throws {SignatureError} where it has not; the message says why
 */
function verify({ content, name, signature, publicKey }) {
  const key = parsePublicKey(publicKey);
  const s = parseSignature(signature);
  if (s.algorithm !== HASHED && s.algorithm !== LEGACY) {
    throw new SignatureError(`${name}: the signature is of an unknown kind`);
  }
  if (!s.id.equals(key.id)) {
    throw new SignatureError(`${name}: signed by key ${keyName(s.id)}, and not by ${keyName(key.id)}`);
  }
  const signed = s.algorithm === HASHED ? crypto.createHash('blake2b512').update(content).digest() : content;
  if (!crypto.verify(null, signed, key.key, s.signature)) {
    throw new SignatureError(`${name}: the file was changed after it was signed`);
  }
  if (!crypto.verify(null, Buffer.concat([s.signature, Buffer.from(s.comment)]), key.key, s.global)) {
    throw new SignatureError(`${name}: the comment of the signature was changed after it was signed`);
  }
  // The name is signed too, so that the zip of one function is none for another.
  const field = s.comment.split('\t').find((part) => part.startsWith('file:'));
  if (field !== `file:${name}`) {
    throw new SignatureError(`${name}: the signature is for ${field ? field.slice(5) : 'no named file'}`);
  }
  return s.comment;
}

/**
 * Checks the signature FILE.minisig beside a file.
 * @param {string} file
 * @param {string} publicKey a path, or the line of the key that begins with RW
 * @param {Buffer} [content] of the file, where it has been read already: what is checked is then what is used
 * @returns {string} the trusted comment
 * @throws {SignatureError} also where there is no signature
 */
function verifyFile(file, publicKey, content = fs.readFileSync(file)) {
  const isKey = /^RW[A-Za-z0-9+/]{54}$/.test(publicKey);
  let signature;
  try {
    signature = fs.readFileSync(`${file}.minisig`, 'utf8');
  } catch (err) {
    if (err.code !== 'ENOENT') throw err;
    const name = path.basename(file);
    throw new SignatureError(`${name}: there is no signature ${file}.minisig: sign with make package SIGN_KEY=FILE`);
  }
  const key = isKey ? publicKey : fs.readFileSync(publicKey, 'utf8');
  return verify({ content, name: path.basename(file), signature, publicKey: key });
}

module.exports = { verify, verifyFile, SignatureError };
