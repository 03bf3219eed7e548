'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { sign } = require('../lib/tc3');

test('the signature is that of the example in the public description of TC3-HMAC-SHA256', () => {
  const body = '{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}';
  const request = { service: 'cvm', host: 'cvm.tencentcloudapi.com', action: 'DescribeInstances', version: '2017-03-12', region: 'ap-guangzhou', body, time: 1551113065000 };
  const headers = sign(request, { secretId: 'AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE', secretKey: 'Gu5t9xGARNpq86cd98joQYCN3EXAMPLE', token: 't' });
  assert.match(headers.Authorization, /Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE\/2019-02-25\/cvm\/tc3_request, SignedHeaders=content-type;host, Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168$/);
  assert.equal(headers['X-TC-Token'], 't');
});
