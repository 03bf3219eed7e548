'use strict';

const { promisify } = require('node:util');
const zlib = require('node:zlib');

const table = Int32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

function crc32(data) {
  if (zlib.crc32) return zlib.crc32(data); // of newer Node.js, and faster
  let crc = -1;
  for (const byte of data) crc = table[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ -1) >>> 0;
}

const unix = (3 << 8) | 20; // made by: Unix, version 2.0
const firstDay = (1 << 5) | 1; // 1980-01-01, the earliest that a zip can hold
const utf8 = 0x0800;

const level = { level: 6 };
const deflate = promisify(zlib.deflateRaw);

/**
 * Presses the contents of files for pack, beside the thread that JavaScript runs in.
 *
 * @param {{data: Buffer}[]} entries
 * @returns {Promise<Map<Buffer, Buffer>>} by data
 */
async function press(entries) {
  return new Map(await Promise.all(entries.map(async ({ data }) => [data, await deflate(data, level)])));
}

/**
 * Packs files. The same files give the same bytes: sorted by name, the time is 1980-01-01, the Unix mode is kept.
 * (Another version of zlib can press otherwise; a comparison of code goes by the content, see code.js.)
 *
 * @param {{name: string, data: Buffer, mode: number}[]} entries mode as of chmod, like 0o755
 * @param {Map<Buffer, Buffer>} [pressedBefore] of press
 * @returns {Buffer}
 */
function pack(entries, pressedBefore = new Map()) {
  const local = [];
  const central = [];
  let offset = 0;
  for (const entry of [...entries].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = Buffer.from(entry.name);
    const pressed = pressedBefore.get(entry.data) || zlib.deflateRawSync(entry.data, level);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(utf8, 2);
    common.writeUInt16LE(8, 4); // deflate
    common.writeUInt16LE(0, 6);
    common.writeUInt16LE(firstDay, 8);
    common.writeUInt32LE(crc32(entry.data), 10);
    common.writeUInt32LE(pressed.length, 14);
    common.writeUInt32LE(entry.data.length, 18);
    common.writeUInt16LE(name.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(((0o100000 | entry.mode) << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    local.push(signature(0x04034b50), common, name, pressed);
    central.push(signature(0x02014b50, unix), common, tail, name);
    offset += 30 + name.length + pressed.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...local, directory, end]);
}

function signature(value, madeBy) {
  const buffer = Buffer.alloc(madeBy === undefined ? 4 : 6);
  buffer.writeUInt32LE(value, 0);
  if (madeBy !== undefined) buffer.writeUInt16LE(madeBy, 4);
  return buffer;
}

/**
 * Unpacks a zip of at most limit bytes of content, encrypted ones and those beyond 4 GB excepted.
 *
 * @param {Buffer} data
 * @param {number} limit bytes, unpacked
 * @returns {{name: string, data: Buffer, mode: number}[]} without folders
 * @throws {Error} where it is none, is damaged or is too large
 */
function unpack(data, limit) {
  const end = data.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (end < 0 || end + 22 > data.length) throw new Error('is no zip');
  const entries = [];
  let at = data.readUInt32LE(end + 16);
  let left = limit;
  for (let n = data.readUInt16LE(end + 10); n > 0; n--) {
    if (at + 46 > data.length || data.readUInt32LE(at) !== 0x02014b50) throw new Error('is a damaged zip');
    const nameLength = data.readUInt16LE(at + 28);
    const name = data.toString('utf8', at + 46, at + 46 + nameLength);
    const mode = (data.readUInt32LE(at + 38) >>> 16) & 0o7777;
    if (!name.endsWith('/')) {
      const content = contentOf(data, at, left);
      left -= content.length;
      entries.push({ name, data: content, mode });
    }
    at += 46 + nameLength + data.readUInt16LE(at + 30) + data.readUInt16LE(at + 32);
  }
  return entries;
}

function contentOf(data, at, left) {
  const [method, crc, size] = [data.readUInt16LE(at + 10), data.readUInt32LE(at + 16), data.readUInt32LE(at + 20)];
  const local = data.readUInt32LE(at + 42);
  if (local + 30 > data.length || data.readUInt32LE(local) !== 0x04034b50) throw new Error('is a damaged zip');
  const from = local + 30 + data.readUInt16LE(local + 26) + data.readUInt16LE(local + 28);
  const raw = data.subarray(from, from + size);
  if (method !== 0 && method !== 8) throw new Error(`holds a file of the unknown method ${method}`);
  let content = raw;
  try {
    if (method === 8) content = zlib.inflateRawSync(raw, { maxOutputLength: Math.max(left, 1) });
  } catch (error) {
    throw new Error(error.code === 'ERR_BUFFER_TOO_LARGE' ? 'is too large unpacked' : `is a damaged zip: ${error.message}`);
  }
  if (content.length > left) throw new Error('is too large unpacked');
  if (crc32(content) !== crc) throw new Error('is a damaged zip: a checksum differs');
  return content;
}

module.exports = { pack, press, unpack };
