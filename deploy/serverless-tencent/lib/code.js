'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { Fault } = require('./fault');
const { find } = require('./glob');
const limits = require('./limits');
const { SignatureError, verifyFile } = require('./minisign');
const zip = require('./zip');

/**
 * The code of a function: the binary, under the handler's name and executable, and the files of package.patterns.
 *
 * @param {string} root the service's folder
 * @param {{key: string, handler: string, binary: string, patterns: string[]}} wanted
 * @returns {{name: string, data: Buffer, mode: number}[]}
 * @throws {Fault} where the binary is missing or is none for the platform
 */
function entries(root, wanted) {
  const file = path.resolve(root, wanted.binary);
  let data;
  try {
    data = fs.readFileSync(file);
  } catch (error) {
    const why = error.code === 'ENOENT' ? 'is not there: run make build' : `cannot be read: ${error.message}`;
    throw new Fault(`functions.${wanted.key}.binary: ${wanted.binary} ${why}`);
  }
  if (!forPlatform(data)) {
    throw new Fault(`functions.${wanted.key}.binary: ${wanted.binary} is no program for linux/amd64: run make build`);
  }
  const others = find(root, wanted.patterns).filter((name) => path.resolve(root, name) !== file);
  if (others.includes(wanted.handler)) {
    throw new Fault(`functions.${wanted.key}: package.patterns chooses a file ${wanted.handler}, which is the binary's name`);
  }
  const files = others.map((name) => {
    const mode = fs.statSync(path.join(root, name)).mode & 0o111 ? 0o755 : 0o644;
    return { name, data: fs.readFileSync(path.join(root, name)), mode };
  });
  return [{ name: wanted.handler, data, mode: 0o755 }, ...files];
}

/** Whether data is an ELF program for x86-64. */
function forPlatform(data) {
  return data.length > 20 && data.readUInt32BE(0) === 0x7f454c46 && data[4] === 2 && data.readUInt16LE(18) === 62;
}

/**
 * What the code is, whatever the zip around it: a digest of the names, modes and contents.
 *
 * @param {{name: string, data: Buffer, mode: number}[]} files
 * @returns {string} 32 hexadecimal digits
 */
function digest(files) {
  const hash = crypto.createHash('sha256');
  for (const file of [...files].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const content = crypto.createHash('sha256').update(file.data).digest('hex');
    hash.update(`${file.mode & 0o111 ? 'x' : '-'} ${content} ${file.name}\n`);
  }
  return hash.digest('hex').slice(0, 32);
}

/**
 * A zip that was made before: by sls package, make package or something else.
 *
 * @param {string} key of the function
 * @param {string} file
 * @param {string} handler that it must hold, executable
 * @param {string} [publicKey] of minisign, its file or its line: then FILE.minisig has to be a signature of it
 * @returns {{file: string, size: number, code: string, unpacked: number}}
 * @throws {Fault}
 */
function artifact(key, file, handler, publicKey = '') {
  let data;
  try {
    data = fs.readFileSync(file);
  } catch (error) {
    throw new Fault(`functions.${key}: the package ${file} cannot be read: ${error.message}`);
  }
  if (publicKey) {
    try {
      verifyFile(file, publicKey, data);
    } catch (error) {
      if (!(error instanceof SignatureError) && error.code !== 'ENOENT') throw error;
      throw new Fault(`functions.${key}: the package is not deployed: ${error.message}`, 'NOT_SIGNED');
    }
  }
  let files;
  try {
    files = zip.unpack(data, limits.maxCode);
  } catch (error) {
    throw new Fault(`functions.${key}: the package ${file} ${error.message}`);
  }
  const main = files.find((f) => f.name === handler);
  if (!main) throw new Fault(`functions.${key}: the package ${file} holds no file ${handler}, which the handler names`);
  if (!(main.mode & 0o111)) throw new Fault(`functions.${key}: ${handler} in the package ${file} is not executable`);
  return { file, size: data.length, code: digest(files), unpacked: total(files) };
}

/**
 * Packs a function into folder/KEY.zip, or leaves that zip as it is where it holds the same code.
 *
 * @param {string} folder
 * @param {string} key of the function
 * @param {{name: string, data: Buffer, mode: number}[]} files
 * @returns {Promise<{file: string, size: number, code: string, unpacked: number, kept: boolean}>}
 */
async function write(folder, key, files) {
  const file = path.join(folder, `${key}.zip`);
  const note = `${file}.json`;
  const code = digest(files);
  const unpacked = total(files);
  if (unpacked > limits.maxCode) {
    throw new Fault(`functions.${key}: the code has ${unpacked} bytes unpacked, allowed are ${limits.maxCode}`);
  }
  const known = readNote(note);
  if (known && known.code === code && known.sha256 === sha256(file)) {
    return { file, size: known.size, code, unpacked, kept: true };
  }
  const data = zip.pack(files, await zip.press(files));
  fs.mkdirSync(folder, { recursive: true });
  replace(file, data);
  replace(note, JSON.stringify({ code, size: data.length, sha256: sha256(file) }));
  return { file, size: data.length, code, unpacked, kept: false };
}

const total = (files) => files.reduce((sum, file) => sum + file.data.length, 0);

// why: a run that is killed in between leaves no half of a zip
function replace(file, data) {
  const draft = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(draft, data);
  fs.renameSync(draft, file);
}

function readNote(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

function sha256(file) {
  try {
    return crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex');
  } catch {
    return '';
  }
}

module.exports = { artifact, digest, entries, write };
