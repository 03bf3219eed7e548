// Uses a COS server as a program would, with the SDK for Node.js.
//
// check.js ENDPOINT BUCKET REGION, with COS_SECRET_ID and COS_SECRET_KEY.
'use strict';

const assert = require('node:assert/strict');
const http = require('node:http');
const { join } = require('node:path');
const COS = require(join(process.env.COS_SDK, 'cos-nodejs-sdk-v5'));

const MIB = 1 << 20;
const [endpoint, Bucket, Region] = process.argv.slice(2);

// The server is a proxy of the service: names and signatures are as in the cloud.
const client = (SecretKey) =>
  new COS({ SecretId: process.env.COS_SECRET_ID, SecretKey, Protocol: 'http:', Proxy: endpoint, Timeout: 60000 });
const cos = client(process.env.COS_SECRET_KEY);

const equal = (what, got, want) => {
  assert.deepEqual(got, want, what);
  console.log(what);
};
const read = async (Key, options) => (await cos.getObject({ Bucket, Region, Key, ...options })).Body;
const refused = async (what, code, call) => {
  const error = await call().then(() => assert.fail(`${what}: it was not refused`), (error) => error);
  equal(what, error.code, code);
};

async function keys(options) {
  for (let found = [], Marker = ''; ; ) {
    const page = await cos.getBucket({ Bucket, Region, Marker, MaxKeys: 2, ...options });
    found.push(...page.Contents.map((c) => c.Key), ...page.CommonPrefixes.map((p) => p.Prefix));
    if (page.IsTruncated === 'false') return found.sort();
    Marker = page.NextMarker;
  }
}

// send follows a URL through the proxy.
function send(method, url, body) {
  const { hostname, port } = new URL(endpoint);
  return new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, method, path: url, headers: { Host: new URL(url).host } }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => resolve({ status: answer.statusCode, body: Buffer.concat(chunks).toString() }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function main() {
  const hello = Buffer.from('hellö');
  const odd = 'node/a b+c&ü';
  const put = await cos.putObject({
    Bucket, Region, Key: odd, Body: hello, ContentType: 'text/plain', 'x-cos-meta-topic': 'orders',
  });
  equal('put gives the CRC', put.headers['x-cos-hash-crc64ecma'] !== undefined, true);
  equal('get', await read(odd), hello);
  equal('range', await read(odd, { Range: 'bytes=1-3' }), hello.subarray(1, 4));
  const head = await cos.headObject({ Bucket, Region, Key: odd });
  equal('metadata', [head.headers['x-cos-meta-topic'], head.headers['content-type'], head.ETag], ['orders', 'text/plain', put.ETag]);
  equal('what Go wrote', (await read('go/whole')).toString(), 'from Go');
  equal('what Go wrote in parts', (await read('go/parts')).length, 3 * MIB);

  const parts = [Buffer.alloc(MIB, '1'), Buffer.alloc(MIB, '2'), Buffer.from('3')];
  const { UploadId } = await cos.multipartInit({ Bucket, Region, Key: 'node/parts' });
  const Parts = await Promise.all(parts.map(async (Body, i) => {
    const answer = await cos.multipartUpload({ Bucket, Region, Key: 'node/parts', UploadId, PartNumber: i + 1, Body });
    return { PartNumber: i + 1, ETag: answer.ETag };
  }));
  const listed = await cos.multipartListPart({ Bucket, Region, Key: 'node/parts', UploadId });
  equal('list parts', listed.Part.map((p) => Number(p.Size)), parts.map((p) => p.length));
  const uploads = await cos.multipartList({ Bucket, Region, Prefix: 'node/' });
  equal('list uploads', uploads.Upload.length, 1);
  await refused('a part that is not there', 'InvalidPart', () =>
    cos.multipartComplete({ Bucket, Region, Key: 'node/parts', UploadId, Parts: [{ PartNumber: 9, ETag: '"x"' }] }));
  await cos.multipartComplete({ Bucket, Region, Key: 'node/parts', UploadId, Parts });
  equal('multipart', Buffer.compare(await read('node/parts'), Buffer.concat(parts)), 0);
  const given = await cos.multipartInit({ Bucket, Region, Key: 'node/given up' });
  await cos.multipartAbort({ Bucket, Region, Key: 'node/given up', UploadId: given.UploadId });

  const CopySource = `${Bucket}.cos.${Region}.myqcloud.com/${encodeURIComponent(odd).replaceAll('%2F', '/')}`;
  await cos.putObjectCopy({ Bucket, Region, Key: 'node/copy', CopySource });
  equal('copy', await read('node/copy'), hello);
  await cos.appendObject({ Bucket, Region, Key: 'node/log', Position: 0, Body: 'one,' });
  await cos.appendObject({ Bucket, Region, Key: 'node/log', Position: 4, Body: 'two' });
  equal('append', (await read('node/log')).toString(), 'one,two');
  const Tags = [{ Key: 'team', Value: 'etl' }];
  await cos.putObjectTagging({ Bucket, Region, Key: 'node/log', Tags });
  equal('tags', (await cos.getObjectTagging({ Bucket, Region, Key: 'node/log' })).Tags, Tags);

  equal('list', await keys({ Prefix: 'node/' }), [odd, 'node/copy', 'node/log', 'node/parts']);
  equal('list folders', await keys({ Delimiter: '/' }), ['go/', 'node/']);

  const url = (Method, Key) => cos.getObjectUrl({ Bucket, Region, Key, Method, Sign: true, Expires: 60, Protocol: 'http:' });
  const answer = await send('PUT', url('PUT', 'node/by URL'), 'by URL');
  equal('presigned put', [answer.status, answer.body], [200, '']);
  equal('presigned get', (await send('GET', url('GET', 'node/by URL'))).body, 'by URL');
  equal('presigned for another', (await send('GET', url('GET', 'node/by URL').replace('by', 'my'))).status, 403);

  await refused('no such key', 'NoSuchKey', () => cos.getObject({ Bucket, Region, Key: 'node/none' }));
  await refused('a wrong key', 'SignatureDoesNotMatch', () => client('wrong').getObject({ Bucket, Region, Key: 'node/copy' }));
  await cos.deleteObject({ Bucket, Region, Key: 'node/by URL' });
  await cos.deleteMultipleObject({ Bucket, Region, Objects: [{ Key: 'node/log' }, { Key: 'node/copy' }] });
  equal('delete', await keys({ Prefix: 'node/' }), [odd, 'node/parts']);
  const service = await cos.getService({ Protocol: 'http:' });
  equal('buckets', service.Buckets.map((b) => b.Name).includes(Bucket), true);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
