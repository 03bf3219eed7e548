'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { Bucket, authorization, partSize } = require('../lib/cos');
const { desired } = require('../lib/desired');
const limits = require('../lib/limits');
const { check, packages } = require('../lib/upload');
const { fakeClock, key } = require('./fake');
const { folder, pace, service } = require('./rig');

/** A bucket in memory, behind a transport. */
function fakeCos() {
  const cos = { objects: new Map(), uploads: new Map(), requests: [], clock: fakeClock(), fault: () => null };
  const answer = (status, text = '', headers = {}) => ({ status, headers, body: Buffer.from(text) });
  cos.transport = async ({ url, method, headers, body }) => {
    cos.requests.push(`${method} ${url.pathname}${url.search}`);
    const broken = cos.fault(cos.requests.length - 1);
    if (broken) return broken;
    const query = Object.fromEntries(url.searchParams);
    const request = { method, path: decodeURIComponent(url.pathname), query, host: headers.Host, time: cos.clock.now() };
    if (headers.Authorization !== authorization(request, key)) return answer(403, '<Error><Code>SignatureDoesNotMatch</Code></Error>');
    const name = request.path.slice(1);
    if (method === 'POST' && 'uploads' in query) {
      cos.uploads.set('u1', []);
      return answer(200, '<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>');
    }
    if (method === 'PUT' && query.uploadId) {
      cos.uploads.get('u1')[query.partNumber - 1] = body;
      return answer(200, '', { etag: `"e${query.partNumber}"` });
    }
    if (method === 'POST') {
      cos.objects.set(name, Buffer.concat(cos.uploads.get('u1')));
      cos.uploads.delete('u1');
      cos.completed = body.toString();
      return answer(200, '<CompleteMultipartUploadResult></CompleteMultipartUploadResult>');
    }
    if (method === 'DELETE') return answer((query.uploadId ? cos.uploads.delete('u1') : cos.objects.delete(name)) ? 204 : 404);
    if (method === 'GET') {
      const keys = [...cos.objects.keys()].filter((k) => k.startsWith(query.prefix) && k > query.marker).sort();
      const some = keys.slice(0, 2).map((k) => `<Contents><Key>${encodeURIComponent(k)}</Key></Contents>`).join('');
      return answer(200, `<ListBucketResult>${some}<IsTruncated>${keys.length > 2}</IsTruncated></ListBucketResult>`);
    }
    cos.objects.set(name, Buffer.from(body));
    return answer(200);
  };
  cos.bucket = (more = {}) => new Bucket({ name: 'code-1250000000', region: 'ap-guangzhou', credentials: key, transport: cos.transport, clock: cos.clock, pace, ...more });
  return cos;
}

test('a large object goes up in parts, with progress', async () => {
  const cos = fakeCos();
  const data = Buffer.alloc(partSize * 2 + 5, 7);
  const done = [];
  await cos.bucket().put('a b/c.zip', data, (n) => done.push(n));
  assert.ok(cos.objects.get('a b/c.zip').equals(data));
  assert.equal(done.at(-1), data.length);
  assert.equal(done.length, 3);
  assert.match(cos.completed, /<PartNumber>3<\/PartNumber><ETag>"e3"/);
});

test('an upload that breaks off leaves no parts, and says what to do', async () => {
  const cos = fakeCos();
  cos.fault = (n) => (n === 2 ? { status: 403, headers: {}, body: Buffer.from('<Error><Code>AccessDenied</Code><Message>no</Message></Error>') } : null);
  await assert.rejects(cos.bucket().put('k', Buffer.alloc(partSize * 2)), /AccessDenied: no; give the key the right/);
  assert.equal(cos.uploads.size, 0);
});

test('a busy server is asked again, a bounded number of times', async () => {
  const cos = fakeCos();
  cos.fault = (n) => (n === 0 ? { status: 503, headers: {}, body: Buffer.alloc(0) } : null);
  await cos.bucket().put('k', Buffer.from('x'));
  assert.equal(cos.requests.length, 2);
  cos.fault = () => ({ status: 503, headers: {}, body: Buffer.alloc(0) });
  await assert.rejects(cos.bucket().put('k', Buffer.from('x')), /status 503/);
});

test('keys are listed over pages, and removed', async () => {
  const cos = fakeCos();
  for (const k of ['sls/a/1', 'sls/a/2', 'sls/a/日 本+', 'sls/b/4']) await cos.bucket().put(k, Buffer.from('x'));
  assert.deepEqual(await cos.bucket().list('sls/a/'), ['sls/a/1', 'sls/a/2', 'sls/a/日 本+']);
  await cos.bucket().remove('sls/a/1');
  await cos.bucket().remove('sls/a/1');
  assert.equal(cos.objects.size, 3);
});

test('a package above the limit goes through the bucket, and is removed after it', async (t) => {
  const cos = fakeCos();
  const wanted = desired(service((s) => (s.provider.deploymentBucket = 'code-1250000000')), {});
  const [f] = wanted.functions;
  const file = path.join(folder(t), 'dump.zip');
  fs.writeFileSync(file, Buffer.alloc(limits.maxInlineZip + 1));
  f.code = { file, size: limits.maxInlineZip + 1, code: 'c0de' };
  check(wanted);
  assert.throws(() => check({ ...wanted, bucket: '' }), /packages above 7.0 MB go through COS: name a bucket in provider.deploymentBucket \(functions.dump: 7.0 MB\)/);
  const said = [];
  const { code, dispose } = await packages({ wanted, bucket: cos.bucket(), say: (text) => said.push(text) })(f);
  assert.deepEqual(code, { CosBucketName: 'code', CosObjectName: '/sls/etl/dev/etl-dev-dump/c0de.zip' });
  assert.match(said.at(-1), /upload dump: 7.0 MB of 7.0 MB/);
  await dispose();
  assert.equal(cos.objects.size, 0);
});
