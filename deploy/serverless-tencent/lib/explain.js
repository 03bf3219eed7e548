'use strict';

// By the beginning of the code that the platform answers; the first that fits says what to do.
const advice = [
  ['AuthFailure.SignatureExpire', (e) => `the clock of this machine is wrong${skew(e)}: set it, for example with NTP`],
  ['AuthFailure.SignatureFailure', () => 'TENCENTCLOUD_SECRET_KEY does not belong to TENCENTCLOUD_SECRET_ID'],
  ['AuthFailure.SecretIdNotFound', () => 'TENCENTCLOUD_SECRET_ID is unknown or was deleted'],
  ['AuthFailure.TokenFailure', () => 'TENCENTCLOUD_TOKEN has expired or belongs to another key: get new credentials'],
  ['AuthFailure.InvalidSecretId', () => 'TENCENTCLOUD_SECRET_ID is no key of the API'],
  ['AuthFailure.UnauthorizedOperation', (e) => `the key may not call ${e.action}: give it that permission`],
  ['UnauthorizedOperation.Role', () => 'the role of provider.role or of the function does not exist, or may not be passed on'],
  ['UnauthorizedOperation', (e) => `the key may not call ${e.action}: give it that permission`],
  ['UnsupportedRegion', () => 'provider.region is no region of SCF'],
  ['ResourceNotFound.Role', () => 'make the role, or mend provider.role'],
  ['InvalidParameterValue.Role', () => 'make the role, or mend provider.role'],
  ['InvalidParameter.RoleCheck', () => 'make the role, or mend provider.role'],
  ['ResourceNotFound.Topic', () => 'create the topic first, in the instance that the trigger names'],
  ['ResourceNotFound.CkafkaTopic', () => 'create the topic first, in the instance that the trigger names'],
  ['ResourceNotFound.Ckafka', () => 'the instance of the trigger is not in this region and account'],
  ['ResourceNotFound.Vpc', () => 'mend vpcConfig: vpcId and subnetId are those of the CKafka instance'],
  ['InvalidParameterValue.VpcId', () => 'mend vpcConfig: vpcId and subnetId are those of the CKafka instance'],
  ['ResourceNotFound.Namespace', () => 'create the namespace first, or mend provider.namespace'],
  ['ResourceNotFound.LayerVersion', () => 'mend layers: there is no such version of the layer here'],
  ['LimitExceeded', () => 'the account is at a limit: remove what is no longer used, or ask for a higher one'],
  ['RequestLimitExceeded', () => 'the platform was asked too often, for longer than this waits: try again'],
  ['Network', () => 'the platform was not reached: see the network, and TENCENTCLOUD_SCF_ENDPOINT where it is set'],
];

function skew(fault) {
  const platform = Date.parse(fault.date || '');
  if (Number.isNaN(platform)) return '';
  const seconds = Math.round((fault.time - platform) / 1000);
  return seconds === 0 ? '' : ` by about ${Math.abs(seconds)} s, it is ${seconds > 0 ? 'ahead' : 'behind'}`;
}

/**
 * What a user can do about an error of the platform.
 *
 * @param {import('./fault').ApiFault} fault
 * @returns {string} empty where nothing is known
 */
function explain(fault) {
  const found = advice.find(([code]) => fault.apiCode === code || String(fault.apiCode).startsWith(code));
  return found ? found[1](fault) : '';
}

module.exports = { explain };
